//! Cutting a list into pages: pure.

/// The first `limit` items, and whether more follow.
pub(crate) fn page<T>(items: impl Iterator<Item = T>, limit: usize) -> (Vec<T>, bool) {
    let mut items = items;
    let page: Vec<T> = items.by_ref().take(limit).collect();
    let more = items.next().is_some();
    (page, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_together_are_the_list_and_only_the_last_says_no_more(length in 0usize..40, limit in 1usize..12) {
            let (mut seen, mut more) = (Vec::new(), true);
            while more {
                let (items, next) = page((0..length).skip(seen.len()), limit);
                prop_assert!(items.len() == limit || !next);
                prop_assert!(!items.is_empty() || seen.is_empty());
                seen.extend(items);
                more = next;
            }
            prop_assert_eq!(seen, (0..length).collect::<Vec<_>>());
        }
    }
}
