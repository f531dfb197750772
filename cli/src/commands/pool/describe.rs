//! Rules and changes of them, as they are printed.

use serde::Serialize;
use serde_json::{Map, Value};
use veilpool_interface::{Change, Parameters, Pool};
use veilpool_protocol::Class;

use crate::commands::measurer::key_text;

/// Parameters by name.
pub(super) fn rows(parameters: &Parameters) -> [(&'static str, u64); 12] {
    let Parameters {
        bond_amount,
        epoch_seconds,
        claim_window_seconds,
        cooldown_seconds,
        challenge_seconds,
        rate_cap,
        outflow_bps,
        hub_fee_cap_bps,
        slash_reward_bps,
        target_utilisation_bps,
        min_price,
        max_price,
    } = *parameters;
    [
        ("bond", bond_amount),
        ("epoch_seconds", epoch_seconds.into()),
        ("claim_window_seconds", claim_window_seconds.into()),
        ("cooldown_seconds", cooldown_seconds.into()),
        ("challenge_seconds", challenge_seconds.into()),
        ("rate_cap", rate_cap),
        ("outflow_bps", outflow_bps.into()),
        ("hub_fee_cap_bps", hub_fee_cap_bps.into()),
        ("slash_reward_bps", slash_reward_bps.into()),
        ("target_utilisation_bps", target_utilisation_bps.into()),
        ("min_price", min_price),
        ("max_price", max_price),
    ]
}

/// As JSON.
pub(super) fn parameters_json(parameters: &Parameters) -> Map<String, Value> {
    let rows = rows(parameters).into_iter();
    rows.map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

/// A change, for people and scripts.
#[derive(Debug, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum Describe {
    Measurers {
        measurers: Vec<String>,
        verifying_key: String,
    },
    Classes {
        classes: Vec<Class>,
    },
    Parameters {
        parameters: Map<String, Value>,
    },
    Unfreeze,
}

impl Describe {
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Measurers {
                measurers,
                verifying_key,
            } => Self::Measurers {
                measurers: measurers.iter().map(key_text).collect(),
                verifying_key: hex::encode(verifying_key),
            },
            Change::Classes(classes) => Self::Classes {
                classes: classes.clone(),
            },
            Change::Parameters(parameters) => Self::Parameters {
                parameters: parameters_json(parameters),
            },
            Change::Unfreeze => Self::Unfreeze,
        }
    }

    /// For people, held against the pool as it is.
    pub(super) fn lines(&self, pool: &Pool) -> Vec<String> {
        match self {
            Self::Measurers {
                measurers,
                verifying_key,
            } => {
                let mut lines = vec![format!(
                    "{} measurers instead of {}:",
                    measurers.len(),
                    pool.measurers.len()
                )];
                lines.extend(measurers.iter().map(|key| format!("  {key}")));
                lines.push(format!("verifying key {verifying_key}"));
                lines
            }
            Self::Classes { classes } => {
                let mut lines = vec![format!(
                    "{} classes instead of {}:",
                    classes.len(),
                    pool.classes.len()
                )];
                lines.extend(
                    classes
                        .iter()
                        .enumerate()
                        .map(|(index, class)| class_line(index, class)),
                );
                lines
            }
            Self::Parameters { parameters } => {
                let present = rows(&pool.rules.parameters);
                let lines: Vec<String> = present
                    .into_iter()
                    .filter_map(|(name, now)| {
                        let then = parameters.get(name)?.as_u64()?;
                        (then != now).then(|| format!("{name}: {now} → {then}"))
                    })
                    .collect();
                if lines.is_empty() {
                    vec!["parameters as they are now".to_owned()]
                } else {
                    lines
                }
            }
            Self::Unfreeze => vec!["claims again".to_owned()],
        }
    }
}

fn class_line(index: usize, class: &Class) -> String {
    let wanted = class.thresholds;
    format!(
        "  class {index}: {} Mbit/s, {} of 144 slots, at most {} ms, zone {}: weight {}",
        wanted.bandwidth.mbit_per_second(),
        wanted.uptime,
        wanted.latency,
        wanted.zone,
        class.weight
    )
}

#[cfg(test)]
mod tests {
    use veilpool_interface::class::default_table;

    use super::*;

    #[test]
    fn a_class_table_is_read_as_it_is_printed() {
        let table = default_table();
        let json = serde_json::to_value(Describe::of(&Change::Classes(table.clone()))).unwrap();
        assert_eq!(json["change"], "classes");
        let read: Vec<Class> = serde_json::from_value(json["classes"].clone()).unwrap();
        assert_eq!(read, table);
        assert_eq!(
            class_line(8, &table[8]),
            "  class 8: 200 Mbit/s, 143 of 144 slots, at most 65535 ms, zone 0: weight 12"
        );
    }
}
