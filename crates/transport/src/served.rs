//! A connection that another node made: calls come in, answers go out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{BoxFuture, Stream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::watch;
use types::NodeId;

use crate::frame::{FrameError, Header, Kind};
use crate::hello::Hello;
use crate::lost::Lost;
use crate::message::payload_bytes;
use crate::reader::Reader;
use crate::room::{Lease, Room};
use crate::shared::{Closing, Shared};
use crate::writer::{Outgoing, Writer};
use crate::{Answer, Call, Lane, Refused, refusal};

/// Serves the calls of the node that said `hello` until the connection ends or the transport is closed.
pub(crate) async fn run(shared: &Arc<Shared>, stream: Box<dyn Stream>, hello: &Hello, closing: &mut Closing) {
    let (queue, queued) = mpsc::unbounded_channel();
    let (incoming, outgoing) = tokio::io::split(stream);
    let ended = watch::Sender::new(());
    let served = Served {
        shared: Arc::clone(shared),
        from: hello.from,
        lane: hello.lane,
        queue,
        room: Arc::new(Room::new(&shared.options, &shared.meters.in_flight_bytes)),
        ended: ended.subscribe(),
    };
    let mut writer = Writer::new(shared, outgoing, queued, Some(shared.options.silence_max * 2));
    let lost = tokio::select! {
        biased;
        () = closing.begun() => Lost::Closed,
        lost = served.read(Reader::new(shared, incoming)) => lost.err().unwrap_or(Lost::Ended),
        lost = writer.run() => lost,
    };
    match lost {
        Lost::Malformed(_) => tracing::warn!(node = %hello.from, reason = %lost, "connection of a node closed"),
        _ => tracing::debug!(node = %hello.from, lane = ?hello.lane, reason = %lost, "connection of a node ended"),
    }
    // The futures of its calls end with it; nobody waits for the answers.
    drop((served, writer));
    ended.send_replace(());
    ended.closed().await;
}

struct Served {
    shared: Arc<Shared>,
    from: NodeId,
    lane: Lane,
    queue: UnboundedSender<Outgoing>,
    /// For calls and their answers.
    room: Arc<Room>,
    ended: watch::Receiver<()>,
}

impl Served {
    async fn read(&self, mut reader: Reader) -> Result<(), Lost> {
        loop {
            let header = reader.header().await?;
            match header.kind {
                Kind::Ping => drop(reader.payload(&header).await?),
                Kind::Request => {
                    // Here a caller waits whose calls are not answered quickly enough: nothing more is read from it.
                    let lease = self.room.take(header.payload_len() as usize).await.ok_or(Lost::Closed)?;
                    let (head, body) = reader.payload(&header).await?;
                    self.handle(&header, head, body, lease);
                }
                Kind::Answer | Kind::Refusal => return Err(FrameError::Misplaced.into()),
            }
        }
    }

    fn handle(&self, header: &Header, head: Bytes, body: Bytes, lease: Lease) {
        let handler = self.shared.services.read().get(&header.service).cloned();
        let Some(handler) = handler else {
            self.shared.meters.served.refused();
            // Fails only when the connection has ended, here and below.
            let _ = self.queue.send(refuse(header, &Refused::NoService(header.service), lease));
            return;
        };
        let deadline = Duration::from_millis(header.deadline_ms.into());
        let call = Call { from: self.from, lane: self.lane, group: header.group, head, body, deadline };
        let answer = handler.handle(call);
        let answering = Answering {
            shared: Arc::clone(&self.shared),
            header: *header,
            queue: self.queue.clone(),
            room: Arc::clone(&self.room),
            lease,
        };
        self.shared.spawn("transport call", Box::pin(answering.run(answer, deadline, self.ended.clone())));
    }
}

/// One call that is being answered.
struct Answering {
    shared: Arc<Shared>,
    header: Header,
    queue: UnboundedSender<Outgoing>,
    room: Arc<Room>,
    lease: Lease,
}

impl Answering {
    async fn run(self, answer: BoxFuture<'static, Answer>, deadline: Duration, mut ended: watch::Receiver<()>) {
        let answer = tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.shared.env.clock.sleep(deadline) => None,
            _ = ended.changed() => None,
        };
        match answer {
            Some(answer) => self.queue(answer),
            None => self.shared.meters.served.dropped(),
        }
    }

    fn queue(mut self, answer: Answer) {
        let bytes = payload_bytes(&answer.head, &answer.body);
        if bytes > self.shared.options.frame_bytes_max {
            tracing::warn!(bytes, service = self.header.service.0, "an answer is too large");
            self.shared.meters.served.refused();
            let _ = self.queue.send(refuse(&self.header, &Refused::AnswerTooLarge, self.lease));
            return;
        }
        self.shared.meters.served.answered.inc();
        self.room.add(&mut self.lease, bytes);
        let Answer { head, body } = answer;
        let Header { id, service, group, .. } = self.header;
        let header = Header::new(Kind::Answer, id, service, group, &head, bytes - head.len());
        let _ = self.queue.send(Outgoing::new(&header, &head, body, Some(Arc::new(self.lease))));
    }
}

fn refuse(header: &Header, refused: &Refused, lease: Lease) -> Outgoing {
    let head = refusal::encode(refused);
    let header = Header::new(Kind::Refusal, header.id, header.service, header.group, &head, 0);
    Outgoing::new(&header, &head, Vec::new(), Some(Arc::new(lease)))
}
