//! `veilpool bench`: the library's command, with this binary as its measuring processes.

use veilpool_benches::{child::Host, command, progress::Lines, task};

pub(crate) use command::Arguments;

use crate::output::Output;

pub(crate) fn run(arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    if let Some(task) = &arguments.task {
        return task::run(task);
    }
    let host = Host::this(&["bench", "--task"])?;
    let (report, tables) = command::run(arguments, &host, &mut Lines::default())?;
    output.show(&report, || tables)
}
