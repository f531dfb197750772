//! What commands print: text for people, or one JSON value for scripts. Progress goes to stderr.

use std::{borrow::Cow, io::Write, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use veilpool_params::Stage;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result to stdout.
    pub(crate) fn show<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let line = if self.json {
            serde_json::to_string_pretty(value)?
        } else {
            text()
        };
        match writeln!(std::io::stdout().lock(), "{line}") {
            // Whoever reads us has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// A progress bar for making or loading parameters.
    pub(crate) fn parameters_bar(self) -> Bar {
        Bar::new()
    }
}

/// A progress bar on stderr; nothing where that isn't a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(1_000);
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg:32} [{bar:30}] {percent:>3} %")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// As the parameters' progress is told.
    pub(crate) fn stage(&self, stage: Stage, fraction: f32) {
        self.0.set_message(Cow::Owned(stage.to_string()));
        self.0
            .set_position((fraction.clamp(0.0, 1.0) * 1_000.0) as u64);
        if stage == Stage::Done {
            self.0.finish_and_clear();
        }
    }
}
