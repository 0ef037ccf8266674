//! A connection that this node made: calls go out, answers come in.

use std::sync::Arc;
use std::time::Duration;

use env::{BoxFuture, Stream};
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::calls::Calls;
use crate::frame::{FrameError, Header, Kind};
use crate::lost::Lost;
use crate::message::payload_bytes;
use crate::pending::Pending;
use crate::reader::Reader;
use crate::room::Room;
use crate::shared::Shared;
use crate::within::within;
use crate::writer::{Outgoing, Writer};
use crate::{NotSent, Reply, Request, refusal};

pub(crate) struct Connection {
    shared: Arc<Shared>,
    /// As it was dialled.
    address: Arc<str>,
    pub(crate) calls: Calls,
    queue: UnboundedSender<Outgoing>,
    /// For calls.
    room: Room,
    /// For answers that have come and are not taken yet.
    answers: Room,
}

impl Connection {
    /// The connection over `stream`, whose handshake is done, and the future that runs it and says how it ended. When that future
    /// is dropped the connection ends.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        address: &Arc<str>,
        stream: Box<dyn Stream>,
    ) -> (Arc<Self>, BoxFuture<'static, Lost>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let connection = Arc::new(Self {
            shared: Arc::clone(shared),
            address: Arc::clone(address),
            calls: Calls::default(),
            queue,
            room: Room::new(&shared.options, &shared.meters.in_flight_bytes),
            answers: Room::new(&shared.options, &shared.meters.in_flight_bytes),
        });
        let (incoming, outgoing) = tokio::io::split(stream);
        let reader = Reader::new(shared, incoming);
        let writer = Writer::new(shared, outgoing, queued, None);
        let run = run(EndAtDrop(Arc::clone(&connection)), reader, writer);
        (connection, Box::pin(run))
    }

    /// Queues `request` once there is room for it. Not cancelled once it is queued.
    ///
    /// # Errors
    /// The connection has ended. The caller bounds the waiting.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: Request,
        began: Duration,
        deadline: Duration,
    ) -> Result<Pending, NotSent> {
        let Request { service, group, head, body } = request;
        let bytes = payload_bytes(&head, &body);
        let lease = Arc::new(self.room.take(bytes).await.ok_or_else(|| self.unreachable("the connection was lost"))?);
        let (id, outcome) = self.calls.add(Arc::clone(&lease)).map_err(|lost| self.unreachable(&lost))?;
        let header = Header::new(Kind::Request, id, service, group, &head, bytes - head.len()).with_deadline(deadline);
        // Fails only when the connection has ended meanwhile, and then the call has failed with all others.
        let _ = self.queue.send(Outgoing::new(&header, &head, body, Some(lease)));
        Ok(Pending::new(Arc::clone(&self.shared), Arc::clone(self), id, outcome, began + deadline))
    }

    fn unreachable(&self, reason: &str) -> NotSent {
        NotSent::Unreachable { address: Arc::clone(&self.address), reason: reason.into() }
    }

    fn end(&self, why: &Lost) {
        self.room.close();
        self.calls.fail_all(&why.to_string().into());
    }

    async fn read(&self, mut reader: Reader) -> Result<(), Lost> {
        loop {
            let header = reader.header().await?;
            match header.kind {
                Kind::Ping => drop(reader.payload(&header).await?),
                Kind::Answer => {
                    let room = self.answers.take(header.payload_len() as usize);
                    let clock = &*self.shared.env.clock;
                    let lease = within(clock, self.shared.options.silence_max, room).await.flatten();
                    let lease = lease.ok_or(Lost::AnswersNotTaken)?;
                    let (head, body) = reader.payload(&header).await?;
                    self.calls.finish(header.id, Ok((Reply { head, body }, lease)));
                }
                Kind::Refusal => {
                    let (head, _) = reader.payload(&header).await?;
                    let refused = refusal::decode(header.service, &head);
                    self.calls.finish(header.id, Err(refused.into()));
                }
                Kind::Request => return Err(FrameError::Misplaced.into()),
            }
        }
    }
}

async fn run(connection: EndAtDrop, reader: Reader, mut writer: Writer) -> Lost {
    let connection = connection;
    let _open = connection.0.shared.meters.connection();
    let lost = tokio::select! {
        biased;
        lost = connection.0.read(reader) => lost.err().unwrap_or(Lost::Ended),
        lost = writer.run() => lost,
    };
    connection.0.end(&lost);
    lost
}

/// Fails all calls when the connection is dropped rather than lost.
struct EndAtDrop(Arc<Connection>);

impl Drop for EndAtDrop {
    fn drop(&mut self) {
        self.0.end(&Lost::Closed);
    }
}
