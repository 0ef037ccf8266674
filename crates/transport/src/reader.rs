use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use env::{BoxFuture, Clock, Stream};
use telemetry::IntCounter;
use tokio::io::{AsyncReadExt, ReadHalf};

use crate::frame::{FrameError, HEADER_LEN, Header};
use crate::lost::Lost;
use crate::shared::Shared;

/// Read ahead of the frame at hand: many small frames per system call, while most of a large one goes straight into its buffer.
const AHEAD_BYTES: usize = 16 << 10;
/// Silence is counted in so many parts, each a timer, rather than by a look at the clock for each read.
const QUIET_PARTS: u32 = 4;

/// The incoming half of a connection. The other side's silence counts only while something is asked of it here.
pub(crate) struct Reader {
    half: ReadHalf<Box<dyn Stream>>,
    ahead: BytesMut,
    frame_bytes_max: u64,
    received: IntCounter,
    clock: Arc<dyn Clock>,
    quiet_part: Duration,
    /// Parts that have passed without a byte.
    quiet: u32,
    timer: BoxFuture<'static, ()>,
}

impl Reader {
    pub(crate) fn new(shared: &Shared, half: ReadHalf<Box<dyn Stream>>) -> Self {
        let quiet_part = shared.options.silence_max / QUIET_PARTS;
        Self {
            half,
            ahead: BytesMut::with_capacity(AHEAD_BYTES),
            frame_bytes_max: shared.options.frame_bytes_max as u64,
            received: shared.meters.received_bytes.clone(),
            clock: Arc::clone(&shared.env.clock),
            quiet_part,
            quiet: 0,
            timer: shared.env.clock.sleep(quiet_part),
        }
    }

    /// The next frame's header, whose lengths are within bounds. [`Reader::payload`] must follow.
    pub(crate) async fn header(&mut self) -> Result<Header, Lost> {
        let mut ahead = std::mem::take(&mut self.ahead);
        while ahead.len() < HEADER_LEN {
            ahead.reserve(AHEAD_BYTES - ahead.len());
            self.fill(&mut ahead, usize::MAX).await?;
        }
        let mut bytes = [0; HEADER_LEN];
        ahead.copy_to_slice(&mut bytes);
        self.ahead = ahead;
        let header = Header::decode(&bytes)?;
        if header.payload_len() > self.frame_bytes_max {
            return Err(FrameError::TooLarge(header.payload_len()).into());
        }
        Ok(header)
    }

    /// Head and body of the frame of `header`, in one buffer made for them: whoever keeps a slice keeps nothing of other frames.
    pub(crate) async fn payload(&mut self, header: &Header) -> Result<(Bytes, Bytes), Lost> {
        let length = header.payload_len() as usize;
        let mut frame = BytesMut::with_capacity(length);
        let known = self.ahead.len().min(length);
        frame.put_slice(&self.ahead[..known]);
        self.ahead.advance(known);
        while frame.len() < length {
            let missing = length - frame.len();
            self.fill(&mut frame, missing).await?;
        }
        let mut body = frame.freeze();
        let head = body.split_to(header.head_len as usize);
        header.check_head(&head)?;
        Ok((head, body))
    }

    /// Reads once, at most `bytes_max` into the spare capacity of `buffer`.
    async fn fill(&mut self, buffer: &mut BytesMut, bytes_max: usize) -> Result<(), Lost> {
        let mut buffer = buffer.limit(bytes_max);
        loop {
            tokio::select! {
                biased;
                read = self.half.read_buf(&mut buffer) => {
                    let bytes = read?;
                    self.quiet = 0;
                    self.received.inc_by(bytes as u64);
                    return if bytes == 0 { Err(Lost::Ended) } else { Ok(()) };
                }
                () = &mut self.timer => {
                    self.quiet += 1;
                    if self.quiet > QUIET_PARTS {
                        return Err(Lost::Silent);
                    }
                    self.timer = self.clock.sleep(self.quiet_part);
                }
            }
        }
    }
}
