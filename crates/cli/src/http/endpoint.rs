use std::net::SocketAddr;

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// `HOST:PORT`, as in the URL.
    pub(crate) authority: String,
}

/// Not an address that can be reached.
#[derive(Debug, thiserror::Error)]
#[error("{url} is no endpoint: {reason}, wanted is http://HOST:PORT")]
pub(crate) struct EndpointError {
    url: String,
    reason: String,
}

impl Endpoint {
    /// Reads `http://HOST[:PORT][/]` and looks the host up.
    pub(crate) async fn find(url: &str) -> Result<Endpoint, EndpointError> {
        let refuse = |reason: String| EndpointError { url: url.to_owned(), reason };
        let authority = authority(url).map_err(|reason| refuse(reason.to_owned()))?;
        let found = tokio::net::lookup_host(authority.as_str()).await.map(|mut addresses| addresses.next());
        let address = found
            .map_err(|error| refuse(error.to_string()))?
            .ok_or_else(|| refuse("the host has no address".to_owned()))?;
        Ok(Endpoint { address, authority })
    }
}

fn authority(url: &str) -> Result<String, &'static str> {
    let uri: http::Uri = url.parse().map_err(|_| "not a URL")?;
    if uri.scheme_str() != Some("http") {
        return Err("not clear-text HTTP");
    }
    if !matches!(uri.path(), "" | "/") {
        return Err("a path has no meaning");
    }
    let authority = uri.authority().ok_or("no host")?;
    Ok(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_servers_are_read_and_others_refused() {
        assert_eq!(authority("http://127.0.0.1:4567").unwrap(), "127.0.0.1:4567");
        assert_eq!(authority("http://localhost:1/").unwrap(), "localhost:1");
        assert_eq!(authority("http://[::1]").unwrap(), "[::1]:80");
        for bad in ["", "127.0.0.1:4567", "https://127.0.0.1:4567", "http://a/b", "http://"] {
            assert!(authority(bad).is_err(), "{bad}");
        }
    }
}
