//! What a user sees while it runs; nothing where standard error is no terminal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use env::Env;
use indicatif::{ProgressBar, ProgressStyle};

use super::counters::Counters;

const INTERVAL: Duration = Duration::from_millis(250);

/// Shows a run of at most `seconds` until its counters say that it is done.
pub(crate) fn show(env: &Env, title: &'static str, seconds: Option<u64>, counters: &Arc<Counters>) {
    let bar = match seconds {
        Some(seconds) => ProgressBar::new(seconds * 1000),
        None => ProgressBar::new_spinner(),
    };
    if bar.is_hidden() {
        return;
    }
    let template = if seconds.is_some() { "{prefix} {wide_bar} {msg}" } else { "{prefix} {spinner} {msg}" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(title);
    env.spawn.task("bench progress", Box::pin(update(env.clone(), bar, Arc::clone(counters))));
}

async fn update(env: Env, bar: ProgressBar, counters: Arc<Counters>) {
    let begun = env.clock.monotonic();
    let mut before = 0;
    while !counters.is_done.load(Ordering::Relaxed) {
        env.clock.sleep(INTERVAL).await;
        let records = Counters::get(&counters.records);
        let per_second = (records - before) * 1000 / INTERVAL.as_millis() as u64;
        before = records;
        let (errors, throttled) = (Counters::get(&counters.errors), Counters::get(&counters.throttled));
        bar.set_position((env.clock.monotonic() - begun).as_millis() as u64);
        bar.set_message(format!("{records} records, {per_second}/s, {throttled} throttled, {errors} errors"));
        bar.tick();
    }
    bar.finish_and_clear();
}
