//! IncreaseStreamRetentionPeriod and DecreaseStreamRetentionPeriod

use catalog_state::{CatalogCommand, CatalogError, RetentionChange};
use types::limits::{RETENTION_HOURS_MAX, RETENTION_HOURS_MIN};

use crate::create_stream::refused;
use crate::{InvalidArgument, Router, RouterError, StreamRef};

impl Router {
    /// Keeps a stream's records for longer or shorter.
    ///
    /// # Errors
    /// Outside of 24 to 8,760 hours, when the hours are not in the asked direction from today's, and for a stream that is
    /// unknown or not ACTIVE.
    pub async fn set_retention(
        &self,
        stream: StreamRef<'_>,
        hours: i32,
        direction: RetentionChange,
    ) -> Result<(), RouterError> {
        let (name, existing_hours) = {
            let catalog = self.inner.control.catalog();
            let found = stream.find(&catalog, &self.inner.options)?;
            (found.name().clone(), found.retention_hours)
        };
        let asked = check(name.as_str(), hours, existing_hours, direction)?;
        let command = CatalogCommand::SetRetention { name: name.clone(), hours: asked, direction };
        match self.inner.propose(name.as_str(), command).await? {
            Ok(()) => Ok(()),
            // Another change came between.
            Err(CatalogError::InvalidRetention { current, .. }) => {
                let contradiction = || RouterError::Internal(format!("the catalog refuses {asked} h over {current} h"));
                Err(check(name.as_str(), hours, current, direction).map_or_else(RouterError::from, |_| contradiction()))
            }
            Err(refusal) => Err(refused(name.as_str(), refusal)),
        }
    }
}

fn check(stream: &str, hours: i32, existing_hours: u32, direction: RetentionChange) -> Result<u32, InvalidArgument> {
    let asked = u32::try_from(hours).unwrap_or(0);
    if asked < RETENTION_HOURS_MIN {
        return Err(InvalidArgument::RetentionTooShort { hours });
    }
    if asked > RETENTION_HOURS_MAX {
        return Err(InvalidArgument::RetentionTooLong { hours });
    }
    let stream = || stream.to_owned();
    match direction {
        RetentionChange::Increase if asked <= existing_hours => {
            Err(InvalidArgument::RetentionNotIncreased { stream: stream(), hours, existing_hours })
        }
        RetentionChange::Decrease if asked >= existing_hours => {
            Err(InvalidArgument::RetentionNotDecreased { stream: stream(), hours, existing_hours })
        }
        RetentionChange::Increase | RetentionChange::Decrease => Ok(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RetentionChange::{Decrease, Increase};

    #[test]
    fn retention_moves_within_its_bounds_and_only_in_the_asked_direction() {
        assert_eq!(check("s", 25, 24, Increase), Ok(25));
        assert_eq!(check("s", 8_760, 24, Increase), Ok(8_760));
        assert_eq!(check("s", 24, 25, Decrease), Ok(24));
        for hours in [i32::MIN, -1, 0, 23] {
            assert_eq!(check("s", hours, 24, Increase), Err(InvalidArgument::RetentionTooShort { hours }));
        }
        assert_eq!(check("s", 8_761, 24, Increase), Err(InvalidArgument::RetentionTooLong { hours: 8_761 }));
        for (hours, existing_hours) in [(48, 48), (47, 48)] {
            let error = InvalidArgument::RetentionNotIncreased { stream: "s".into(), hours, existing_hours };
            assert_eq!(check("s", hours, existing_hours, Increase), Err(error));
        }
        for (hours, existing_hours) in [(48, 48), (49, 48)] {
            let error = InvalidArgument::RetentionNotDecreased { stream: "s".into(), hours, existing_hours };
            assert_eq!(check("s", hours, existing_hours, Decrease), Err(error));
        }
    }
}
