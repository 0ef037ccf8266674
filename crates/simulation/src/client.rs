//! A client of the service: real HTTP/1.1 and JSON over simulated TCP.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use turmoil::net::TcpStream;

use crate::dice::Dice;
use crate::node::{API_PORT, host};
use crate::world::World;

/// A request unanswered for so long is given up.
const DEADLINE: Duration = Duration::from_secs(4);

/// Why a call has no result.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The service answered with an error.
    Refused { status: u16, code: String, message: String },
    /// No answer: whatever was asked for may or may not have happened.
    #[allow(dead_code, reason = "read by eyes, in the trace")]
    Unknown(String),
}

impl Failure {
    /// Whether the service said `code`.
    pub(crate) fn is(&self, code: &str) -> bool {
        matches!(self, Failure::Refused { code: found, .. } if found == code)
    }

    /// Whether another node may do better.
    fn is_of_the_node(&self) -> bool {
        match self {
            Failure::Refused { status, .. } => *status >= 500,
            Failure::Unknown(_) => true,
        }
    }

    /// Whether the service understood the request and refused it, so that asking again is of no use.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Failure::Refused { status, code, .. } => {
                *status < 500 && !code.contains("Throughput") && !code.contains("LimitExceeded")
            }
            Failure::Unknown(_) => false,
        }
    }
}

/// One client with at most one connection, made anew, to another node if there is one, when it broke or the node could not serve.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) world: Rc<World>,
    dice: Dice,
    /// The node it talks to.
    node: u64,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(crate) fn new(name: String, world: Rc<World>) -> Self {
        let mut dice = Dice::new(world.plan.seed, &format!("{name}'s nodes"));
        let node = dice.between(1, world.plan.cluster.nodes);
        Self { name, world, dice, node, sender: None }
    }

    /// Calls one operation.
    pub(crate) async fn call(&mut self, operation: &str, request: &Value) -> Result<Value, Failure> {
        let body = request.to_string();
        self.world.note(|line| line.push_str(&format!("{} > {} {operation} {body}", self.name, self.node)));
        let result = match tokio::time::timeout(DEADLINE, self.exchange(operation, body)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Unknown("no reply in time".into())),
        };
        if result.as_ref().is_err_and(Failure::is_of_the_node) {
            self.sender = None;
            self.node = self.dice.between(1, self.world.plan.cluster.nodes);
        }
        self.world.note(|line| match &result {
            Ok(reply) => line.push_str(&format!("{} < {reply}", self.name)),
            Err(failure) => line.push_str(&format!("{} < {failure:?}", self.name)),
        });
        result
    }

    async fn exchange(&mut self, operation: &str, body: String) -> Result<Value, Failure> {
        let unknown = |what: &str, error: &dyn std::fmt::Display| Failure::Unknown(format!("{what}: {error}"));
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(self.node).await.map_err(|error| unknown("connecting", &error))?,
        };
        sender.ready().await.map_err(|error| unknown("waiting for the connection", &error))?;
        let request = http::Request::post("/")
            .header("host", host(self.node))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unknown("request", &error))?;
        let reply = sender.send_request(request).await.map_err(|error| unknown("sending", &error))?;
        let status = reply.status().as_u16();
        let body = reply.into_body().collect().await.map_err(|error| unknown("receiving", &error))?.to_bytes();
        self.sender = Some(sender);
        read_reply(status, &body)
    }
}

fn read_reply(status: u16, body: &[u8]) -> Result<Value, Failure> {
    let value: Value = match body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(body).map_err(|error| Failure::Unknown(format!("reading: {error}")))?,
    };
    if status == 200 {
        return Ok(value);
    }
    let text = |names: [&str; 2]| names.iter().find_map(|name| value[*name].as_str()).unwrap_or_default().to_owned();
    Err(Failure::Refused { status, code: text(["__type", "code"]), message: text(["message", "Message"]) })
}

async fn connect(node: u64) -> Result<SendRequest<Full<Bytes>>, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect((turmoil::lookup(host(node)), API_PORT)).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the connection; a failure shows in the next call.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(read_reply(200, b"{\"a\":1}").unwrap()["a"], 1);
        assert!(read_reply(200, b"").unwrap().is_null());
        let refused = read_reply(400, b"{\"__type\":\"ResourceInUseException\",\"message\":\"m\"}").unwrap_err();
        assert!(refused.is("ResourceInUseException") && refused.is_final());
        let throttled = read_reply(400, b"{\"__type\":\"ProvisionedThroughputExceededException\"}").unwrap_err();
        assert!(!throttled.is_final());
        assert!(!read_reply(500, b"{}").unwrap_err().is_final());
        assert!(matches!(read_reply(200, b"{"), Err(Failure::Unknown(_))));
    }
}
