//! `/cluster`: how the cluster stands, and what each node is there for. What is decided, the control plane decides.

use ::http::header::CONTENT_TYPE;
use ::http::request::Parts;
use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use catalog_state::NodeState;
use control_plane::{ControlPlane, NodeStateError};
use serde::Deserialize;
use serde_json::json;
use types::NodeId;

const JSON_TYPE: &str = "application/json";

/// What `POST /cluster/nodes/N/state` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    state: String,
    /// Do it even if it does harm.
    #[serde(default)]
    force: bool,
}

/// Answers a request for what is below `/cluster`.
pub(super) async fn answer(control: Option<&ControlPlane>, head: &Parts, path: &str, body: &Bytes) -> Response<Bytes> {
    let Some(control) = control else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "this node is starting, or has not been let into its cluster yet",
        );
    };
    match (&head.method, path) {
        (&Method::GET | &Method::HEAD, "" | "/") => match serde_json::to_string(&control.status().await) {
            Ok(status) => super::reply(StatusCode::OK, JSON_TYPE, status),
            Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        (&Method::POST, path) => match node_of(path) {
            Some(id) => set_state(control, id, head, body).await,
            None => refuse(StatusCode::NOT_FOUND, "not found: /cluster/nodes/N/state is here"),
        },
        (&Method::GET | &Method::HEAD, _) => refuse(StatusCode::NOT_FOUND, "not found: /cluster is here"),
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST"),
    }
}

/// The number in `/nodes/N/state`.
fn node_of(path: &str) -> Option<NodeId> {
    path.strip_prefix("/nodes/")?.strip_suffix("/state")?.parse().ok().map(NodeId)
}

async fn set_state(control: &ControlPlane, id: NodeId, head: &Parts, body: &Bytes) -> Response<Bytes> {
    // A page in an operator's browser can post forms and text to any address, but not JSON.
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if kind != Some(JSON_TYPE) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json");
    }
    let Ok(wish) = serde_json::from_slice::<Wish>(body) else {
        return refuse(StatusCode::BAD_REQUEST, r#"the body must be such as {"state": "draining", "force": false}"#);
    };
    let Some(state) = NodeState::ALL.into_iter().find(|state| state.as_str() == wish.state) else {
        return refuse(StatusCode::BAD_REQUEST, "state must be active, draining or leaving");
    };
    match control.set_node_state(id, state, wish.force).await {
        Ok(()) => {
            tracing::info!(node = %id, %state, "an operator has set a node's state");
            super::reply(StatusCode::OK, JSON_TYPE, json!({ "node": id.0, "state": state.as_str() }).to_string())
        }
        Err(error) => refuse(status_of(&error), &error.to_string()),
    }
}

fn status_of(error: &NodeStateError) -> StatusCode {
    match error {
        NodeStateError::Unknown(_) => StatusCode::NOT_FOUND,
        NodeStateError::Removed(_) => StatusCode::GONE,
        NodeStateError::Harmful(_) => StatusCode::PRECONDITION_FAILED,
        NodeStateError::Refused(_) => StatusCode::CONFLICT,
        NodeStateError::Catalog(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refuse(status: StatusCode, why: &str) -> Response<Bytes> {
    super::reply(status, JSON_TYPE, json!({ "error": why }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_number_is_read_from_the_path() {
        assert_eq!(node_of("/nodes/12/state"), Some(NodeId(12)));
        for bad in ["", "/", "/nodes/", "/nodes//state", "/nodes/-1/state", "/nodes/1", "/nodes/1/2/state"] {
            assert_eq!(node_of(bad), None, "{bad}");
        }
    }
}
