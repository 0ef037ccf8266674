//! DeleteStream

use catalog_state::CatalogCommand;

use crate::{Router, RouterError, StreamRef};

impl Router {
    /// Records a stream as DELETING. Its records go in the background; then its name is free.
    ///
    /// # Errors
    /// For an unknown stream, and one that is not ACTIVE.
    pub async fn delete_stream(&self, stream: StreamRef<'_>) -> Result<(), RouterError> {
        let name = stream.find(&self.inner.control.catalog(), &self.inner.options)?.name().clone();
        let command = CatalogCommand::DeleteStream { name: name.clone(), at: self.inner.now() };
        self.inner.change(name.as_str(), command).await
    }
}
