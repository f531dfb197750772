//! A node's configuration file: TOML whose keys are the options of `veilpool node run`, without their dashes.
//!
//! The file becomes arguments, which stand before those of the command line: one definition, one check, one help text.

use std::{ffi::OsString, fs, path::Path};

use anyhow::{Context, bail, ensure};
use clap::{ArgAction, Command};

/// The option that names the file.
const OPTION: &str = "--config";

/// The arguments of a whole command line, with those of the file put behind `node run`. `run` is that command.
pub(crate) fn expand(arguments: Vec<OsString>, run: &Command) -> anyhow::Result<Vec<OsString>> {
    let is = |at: usize, word: &str| arguments.get(at).is_some_and(|it| it == word);
    let Some(command) = (1..arguments.len()).find(|at| is(*at, "node") && is(*at + 1, "run"))
    else {
        return Ok(arguments);
    };
    let (before, own) = arguments.split_at(command + 2);
    let Some(path) = named(own) else {
        return Ok(arguments);
    };
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let from_file = arguments_of(&text, run)
        .with_context(|| format!("the configuration {}", path.display()))?;
    // What the command line says holds; lists get longer.
    let from_file = from_file
        .into_iter()
        .filter(|argument| is_list(argument, run) || !own.iter().any(|it| is_same(it, argument)))
        .map(OsString::from);
    Ok(before
        .iter()
        .cloned()
        .chain(from_file)
        .chain(own.iter().cloned())
        .collect())
}

fn option_of(argument: &str) -> &str {
    argument.split('=').next().unwrap_or_default()
}

fn is_same(given: &OsString, argument: &str) -> bool {
    given
        .to_str()
        .is_some_and(|given| option_of(given) == option_of(argument))
}

fn is_list(argument: &str, run: &Command) -> bool {
    run.get_arguments().any(|option| {
        option.get_long() == option_of(argument).strip_prefix("--")
            && matches!(option.get_action(), ArgAction::Append)
    })
}

fn named(own: &[OsString]) -> Option<std::path::PathBuf> {
    let at = own.iter().position(|argument| argument == OPTION);
    let next = at.and_then(|at| own.get(at + 1));
    let joined = || {
        own.iter()
            .filter_map(|argument| argument.to_str())
            .find_map(|argument| argument.strip_prefix(OPTION)?.strip_prefix('='))
    };
    match next {
        Some(path) => Some(Path::new(path).to_owned()),
        None => joined().map(Into::into),
    }
}

fn arguments_of(text: &str, run: &Command) -> anyhow::Result<Vec<String>> {
    let table: toml::Table = text.parse()?;
    let mut arguments = Vec::new();
    for (key, value) in table {
        let option = run
            .get_arguments()
            .find(|argument| argument.get_long() == Some(&key) && key != OPTION[2..]);
        let Some(option) = option else {
            bail!(
                "`{key}` is no option of `veilpool node run`; see its --help, whose options are the keys"
            );
        };
        let switch = matches!(option.get_action(), ArgAction::SetTrue);
        let several = matches!(option.get_action(), ArgAction::Append);
        match value {
            toml::Value::Boolean(on) if switch => {
                if on {
                    arguments.push(format!("--{key}"));
                }
            }
            _ if switch => bail!("`{key}` is true or false"),
            toml::Value::Array(values) if several => {
                for value in values {
                    arguments.push(argument(&key, &value)?);
                }
            }
            toml::Value::Array(_) => bail!("`{key}` has one value, not a list"),
            value => arguments.push(argument(&key, &value)?),
        }
    }
    Ok(arguments)
}

fn argument(key: &str, value: &toml::Value) -> anyhow::Result<String> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        _ => bail!("`{key}` is a text or a number"),
    };
    ensure!(!text.contains('\0'), "`{key}` has a zero byte in it");
    Ok(format!("--{key}={text}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{Args, Command};

    use super::*;
    use crate::commands::node::Run;

    fn run() -> Command {
        Run::augment_args(Command::new("run"))
    }

    #[test]
    fn keys_become_options_in_front_of_those_of_the_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.toml");
        std::fs::write(
            &file,
            "listen = \"0.0.0.0:7\"\nmeasurer = [\"http://a\", \"http://b\"]\nmax-fee = 5\nrate-limit = 2.5\nno-claim = true\n",
        )
        .unwrap();
        let line = [
            "veilpool",
            "--json",
            "node",
            "run",
            "--config",
            file.to_str().unwrap(),
            "--max-fee=6",
        ];
        let whole = expand(line.map(OsString::from).to_vec(), &run()).unwrap();
        let whole: Vec<_> = whole.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(whole[..4], ["veilpool", "--json", "node", "run"]);
        let mut middle = whole[4..9].to_vec();
        middle.sort_unstable();
        assert_eq!(
            middle,
            [
                "--listen=0.0.0.0:7",
                "--measurer=http://a",
                "--measurer=http://b",
                "--no-claim",
                "--rate-limit=2.5"
            ]
        );
        assert_eq!(whole[9], "--config");
        // What is said later holds.
        let matches = run()
            .try_get_matches_from(
                [
                    "run",
                    "--pool=11111111111111111111111111111111",
                    "--identity=i",
                    "--state=s",
                ]
                .into_iter()
                .chain(whole[4..].iter().copied()),
            )
            .unwrap();
        assert_eq!(matches.get_one::<u64>("max_fee"), Some(&6));
    }

    #[test]
    fn what_is_no_option_or_has_another_form_is_refused_with_its_name() {
        for (text, name) in [
            ("colour = 1", "`colour`"),
            ("config = \"x\"", "`config`"),
            ("no-claim = \"yes\"", "`no-claim`"),
            ("listen = [\"a\", \"b\"]", "`listen`"),
            ("measurer = [[1]]", "`measurer`"),
            ("[listen]\na = 1", "`listen`"),
        ] {
            let error = arguments_of(text, &run()).unwrap_err().to_string();
            assert!(error.contains(name), "{text}: {error}");
        }
        assert!(arguments_of("listen = ", &run()).is_err());
    }

    #[test]
    fn the_example_of_the_package_is_valid() {
        let example = include_str!("../../../packaging/node.example.toml");
        // What is commented out too.
        let all: Vec<_> = example
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") && !rest.contains('…') => rest,
                _ => line,
            })
            .collect();
        for text in [example.to_owned(), all.join("\n")] {
            let options = arguments_of(&text, &run()).unwrap();
            let line = ["run", "--identity=i", "--state=s"].map(str::to_owned);
            run()
                .try_get_matches_from(line.into_iter().chain(options))
                .unwrap();
        }
    }

    #[test]
    fn other_commands_are_left_alone() {
        let line: Vec<OsString> = ["veilpool", "node", "status", "--config", "x"]
            .map(OsString::from)
            .to_vec();
        assert_eq!(expand(line.clone(), &run()).unwrap(), line);
    }
}
