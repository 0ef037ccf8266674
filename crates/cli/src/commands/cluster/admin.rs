//! The admin address of a node.

use std::time::Duration;

use bytes::Bytes;
use env::Env;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::json;
use server::{ClusterStatus, NodeState};
use types::NodeId;

use super::AdminArgs;
use crate::http::{Connection, Endpoint};

/// The server answers within 10 seconds, or says that it can't.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The node that is asked.
pub(super) struct Admin {
    connection: Connection,
    url: String,
}

/// Why a question has no answer, or a wish is not granted.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    /// Nobody answers; what became of a wish is unknown.
    #[error("{url} does not answer: {reason}")]
    NoAnswer { url: String, reason: String },
    /// The node says no.
    #[error("{reason}")]
    Refused { status: StatusCode, reason: String },
}

impl AdminError {
    /// Whether it may pass by itself.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            AdminError::NoAnswer { .. } => true,
            AdminError::Refused { status, .. } => status.is_server_error(),
        }
    }
}

impl Admin {
    /// Looks the address up; nothing is asked yet.
    pub(super) async fn find(env: &Env, args: &AdminArgs) -> Result<Admin, String> {
        let url = args.admin_endpoint.clone();
        let endpoint = Endpoint::find(&url).await.map_err(|error| error.to_string())?;
        Ok(Admin { connection: Connection::new(env, &endpoint, TIMEOUT), url })
    }

    /// How the cluster stands.
    pub(super) async fn status(&mut self) -> Result<ClusterStatus, AdminError> {
        let request = Request::get("/cluster").body(Full::default());
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|error| self.no_answer(&format!("its answer makes no sense: {error}")))
    }

    /// Has a node be drained, leave, or be active.
    pub(super) async fn set_state(&mut self, id: NodeId, state: NodeState, force: bool) -> Result<(), AdminError> {
        let wish = json!({ "state": state.as_str(), "force": force }).to_string();
        let request = Request::post(format!("/cluster/nodes/{id}/state")).header(CONTENT_TYPE, "application/json");
        let sent = self.send(request.body(Full::new(wish.into()))).await;
        sent.map(drop).map_err(|error| match error {
            AdminError::Refused { status: StatusCode::PRECONDITION_FAILED, reason } => AdminError::Refused {
                status: StatusCode::PRECONDITION_FAILED,
                reason: format!("{reason}. --force does it all the same"),
            },
            error => error,
        })
    }

    async fn send(&mut self, request: http::Result<Request<Full<Bytes>>>) -> Result<Bytes, AdminError> {
        let request = request.map_err(|error| self.no_answer(&error.to_string()))?;
        let (status, body) = self.connection.send(request).await.map_err(|error| self.no_answer(&error.0))?;
        if status == StatusCode::OK { Ok(body) } else { Err(refused(status, &body)) }
    }

    fn no_answer(&self, reason: &str) -> AdminError {
        AdminError::NoAnswer { url: self.url.clone(), reason: reason.to_owned() }
    }
}

fn refused(status: StatusCode, body: &[u8]) -> AdminError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let reason = match serde_json::from_slice(body) {
        Ok(Refusal { error }) => error,
        // Whatever listens there is no admin address of this version.
        Err(_) => format!("{status}: {}", String::from_utf8_lossy(body).trim_end()),
    };
    AdminError::Refused { status, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_speak_the_servers_words() {
        let refused = |status, body: &str| refused(status, body.as_bytes());
        let no = refused(StatusCode::NOT_FOUND, r#"{"error": "node 9 is no member of the cluster"}"#);
        assert_eq!(no.to_string(), "node 9 is no member of the cluster");
        assert!(!no.may_pass());
        let old = refused(StatusCode::NOT_FOUND, "not found: /metrics is here\n");
        assert_eq!(old.to_string(), "404 Not Found: not found: /metrics is here");
        assert!(refused(StatusCode::SERVICE_UNAVAILABLE, "{}").may_pass());
    }
}
