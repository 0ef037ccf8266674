use std::io;
use std::sync::Arc;

use env::{DirLock, Disk};

use crate::{Error, layout};

/// Moves all that a closed directory holds of groups into a folder in it: the next start finds it empty. Older folders of the same kind stay.
/// An interrupted one is ended by calling it again with the same folder, before anything is opened. Durable on return.
///
/// # Errors
/// [`Error::InUse`] and [`Error::Io`].
pub async fn set_aside(disk: &Arc<dyn Disk>, folder: &str) -> Result<(), Error> {
    let _locked = lock(disk).await?;
    for dir in [layout::JOURNAL_DIR, layout::SEGMENT_DIR, layout::CHECKPOINT_DIR] {
        let to = format!("{folder}/{dir}");
        disk.create_dir(&to).await?;
        disk.sync_dir("").await?;
        disk.sync_dir(folder).await?;
        let names = match disk.list(dir).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            names => names?,
        };
        for name in names {
            disk.rename(&format!("{dir}/{name}"), &format!("{to}/{name}")).await?;
        }
        disk.sync_dir(&to).await?;
        disk.sync_dir(dir).await?;
    }
    Ok(())
}

/// Takes the directory for this process.
pub(crate) async fn lock(disk: &Arc<dyn Disk>) -> Result<Box<dyn DirLock>, Error> {
    disk.lock(layout::LOCK).await.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Error::InUse,
        _ => error.into(),
    })
}
