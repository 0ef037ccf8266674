//! Answers other nodes' questions about the shards that this node leads.

use data_plane::DataPlane;
use env::BoxFuture;
use futures_util::future::join_all;
use transport::{Call, Handler, Service};

use crate::shard_calls::{Answer, Append, Question, appends, decode, encode, page_of};

/// Questions about shards.
pub(crate) const SHARDS: Service = Service(3);

pub(crate) struct ShardService(pub(crate) DataPlane);

impl Handler for ShardService {
    fn handle(&self, call: Call) -> BoxFuture<'static, transport::Answer> {
        let data = self.0.clone();
        Box::pin(async move {
            let (answer, body) = match decode(&call.head, &call.body) {
                Some(question) => answer(&data, question, call.body).await,
                None => (Answer::Nonsense, Vec::new()),
            };
            transport::Answer { head: encode(&answer, &body), body }
        })
    }
}

async fn answer(data: &DataPlane, question: Question, body: bytes::Bytes) -> (Answer, Vec<bytes::Bytes>) {
    match question {
        Question::Append(parts) => {
            let Some(appends) = appends(&parts, body) else { return (Answer::Nonsense, Vec::new()) };
            let append = |Append { group, batch, tried_for }| data.append(group, batch, tried_for);
            let results = join_all(appends.into_iter().map(append)).await.into_iter();
            let results = results.map(|result| result.map(Into::into).map_err(Into::into));
            (Answer::Append(results.collect()), Vec::new())
        }
        Question::Read { group, from, max_records, max_bytes } => {
            match data.read(group, from, max_records, max_bytes).await {
                Ok(batch) => {
                    let (page, body) = page_of(&batch);
                    (Answer::Read(Ok(page)), body)
                }
                Err(error) => (Answer::Read(Err(error.into())), Vec::new()),
            }
        }
        Question::Position { group } => {
            let position = data.position(group).map(Into::into).map_err(Into::into);
            (Answer::Position(position), Vec::new())
        }
        Question::SeekArrival { group, at } => {
            let record = data.seek_arrival(group, at).await.map_err(Into::into);
            (Answer::SeekArrival(record), Vec::new())
        }
    }
}
