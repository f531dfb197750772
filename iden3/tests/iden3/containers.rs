//! What all four formats have in common: truncated, longer, swapped, repeated, lying files.

use ark_ff::Field;
use proptest::prelude::*;
use veilpool_iden3::{Format, InvalidFile, Place, PowersOfTau, R1cs, RawPtau, RawZkey, Wtns, Zkey};

use super::common::{SMALL, Section, Toxic, edited, fixture_file, put_u32, put_u64, sections};

pub(crate) struct File {
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    read: fn(&[u8]) -> Result<(), InvalidFile>,
}

fn read_zkey(bytes: &[u8]) -> Result<(), InvalidFile> {
    Zkey::from_bytes(bytes)?.check_queries()
}

fn read_wtns(bytes: &[u8]) -> Result<(), InvalidFile> {
    Wtns::from_bytes(bytes).map(|_| ())
}

fn read_r1cs(bytes: &[u8]) -> Result<(), InvalidFile> {
    R1cs::from_bytes(bytes).map(|_| ())
}

fn read_ptau(bytes: &[u8]) -> Result<(), InvalidFile> {
    let raw = RawPtau::parse(bytes)?;
    let powers = raw.powers(raw.power())?;
    powers.check_ratios()?;
    for log in 0..=raw.power() {
        if let Some(basis) = raw.lagrange(log)? {
            powers.check_lagrange(&basis)?;
        }
    }
    Ok(())
}

/// One that we wrote and one that we didn't, of each format.
pub(crate) fn files() -> Vec<File> {
    let fixture = SMALL.fixture();
    let toxic = Toxic::new(2);
    let powers: PowersOfTau = toxic.powers(ark_bn254::Fr::from(77u64).square(), 2);
    let zkey = fixture.zkey().to_bytes().unwrap();
    let r1cs = R1cs::new(&fixture.matrices).unwrap().to_bytes();
    let mut files = Vec::new();
    let mut add = |format, read, ours: &[u8], theirs| {
        for bytes in [ours.to_vec(), fixture_file(theirs)] {
            files.push(File {
                format,
                bytes,
                read,
            });
        }
    };
    add(Format::Zkey, read_zkey, &zkey, "sample.zkey");
    add(
        Format::Wtns,
        read_wtns,
        &fixture.wtns().expose_bytes(),
        "sample.wtns",
    );
    add(Format::R1cs, read_r1cs, &r1cs, "sample.r1cs");
    add(
        Format::Ptau,
        read_ptau,
        &powers.to_bytes().unwrap(),
        "sample.ptau",
    );
    files
}

fn refusal(file: &File, bytes: &[u8]) -> InvalidFile {
    match (file.read)(bytes) {
        Ok(()) => panic!("a changed {} file was accepted", file.format),
        Err(error) => error,
    }
}

#[test]
fn the_files_themselves_are_accepted() {
    for file in files() {
        assert_eq!((file.read)(&file.bytes), Ok(()), "{}", file.format);
    }
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    for file in files() {
        let step = (file.bytes.len() / 150).max(1);
        let ends = sections(&file.bytes)
            .into_iter()
            .flat_map(|s| [s.header, s.start, s.end - 1]);
        for cut in (0..file.bytes.len()).step_by(step).chain(0..12).chain(ends) {
            let refused = refusal(&file, &file.bytes[..cut]);
            assert!(
                matches!(refused, InvalidFile::Truncated { expected, found, .. } if found < expected),
                "{} cut at {cut}: {refused}",
                file.format
            );
        }
    }
}

#[test]
fn bytes_after_the_last_section_are_counted() {
    for file in files() {
        for extra in [1, 12, 1000] {
            let longer = edited(&file.bytes, |bytes| bytes.resize(bytes.len() + extra, 0));
            let place = Place {
                format: file.format,
                section: None,
            };
            assert_eq!(
                refusal(&file, &longer),
                InvalidFile::Trailing {
                    place,
                    found: extra as u64
                }
            );
        }
    }
}

#[test]
fn a_file_of_another_format_or_version_is_named() {
    let files = files();
    for file in &files {
        for other in &files {
            if other.format != file.format {
                let refused = refusal(file, &other.bytes);
                assert_eq!(
                    refused,
                    InvalidFile::Magic {
                        expected: file.format,
                        found: other.format.magic()
                    }
                );
                let magic = String::from_utf8(file.format.magic().to_vec()).unwrap();
                assert!(refused.to_string().contains(&magic), "{refused}");
            }
        }
        for version in [0, 3, u32::MAX] {
            let changed = edited(&file.bytes, |bytes| put_u32(bytes, 4, version));
            assert!(matches!(
                refusal(file, &changed),
                InvalidFile::Version { found, .. } if found == version
            ));
        }
    }
}

#[test]
fn a_section_whose_length_field_lies_is_refused_before_anything_is_allocated() {
    for file in files() {
        for section in sections(&file.bytes) {
            let rest = (file.bytes.len() - section.start) as u64;
            for len in [1 << 60, u64::MAX, rest + 1] {
                let lying = edited(&file.bytes, |bytes| put_u64(bytes, section.header + 4, len));
                let refused = refusal(&file, &lying);
                assert!(
                    matches!(
                        refused,
                        InvalidFile::Truncated { expected, found, .. } if expected == len && found == rest
                    ),
                    "{}: {refused}",
                    file.format
                );
            }
        }
    }
}

#[test]
fn a_number_of_sections_that_lies_is_refused() {
    for file in files() {
        let count = sections(&file.bytes).len() as u32;
        for lie in [count + 1, u32::MAX] {
            let lying = edited(&file.bytes, |bytes| put_u32(bytes, 8, lie));
            assert!(matches!(
                refusal(&file, &lying),
                InvalidFile::Truncated {
                    expected: 4,
                    found: 0,
                    ..
                }
            ));
        }
        let lying = edited(&file.bytes, |bytes| put_u32(bytes, 8, count - 1));
        assert!(matches!(
            refusal(&file, &lying),
            InvalidFile::Trailing { .. }
        ));
    }
}

#[test]
fn a_section_that_is_missing_repeated_or_unknown_is_named() {
    for file in files() {
        let all = sections(&file.bytes);
        for section in &all {
            let without = edited(&file.bytes, |bytes| {
                bytes.drain(section.header..section.end);
                put_u32(bytes, 8, all.len() as u32 - 1);
            });
            assert!(matches!(
                refusal(&file, &without),
                InvalidFile::MissingSection(Place { section: Some((id, _)), .. }) if id == section.id
            ));
            let twice = edited(&file.bytes, |bytes| {
                let copy = bytes[section.header..section.end].to_vec();
                bytes.extend_from_slice(&copy);
                put_u32(bytes, 8, all.len() as u32 + 1);
            });
            assert!(matches!(
                refusal(&file, &twice),
                InvalidFile::RepeatedSection(Place { section: Some((id, _)), .. }) if id == section.id
            ));
            for id in [0, 99, u32::MAX] {
                let unknown = edited(&file.bytes, |bytes| put_u32(bytes, section.header, id));
                assert_eq!(
                    refusal(&file, &unknown),
                    InvalidFile::UnknownSection {
                        format: file.format,
                        found: id
                    }
                );
            }
        }
    }
}

#[test]
fn the_order_of_sections_doesnt_matter() {
    for file in files() {
        let all = sections(&file.bytes);
        let mut reversed = file.bytes[..12].to_vec();
        for Section { header, end, .. } in all.into_iter().rev() {
            reversed.extend_from_slice(&file.bytes[header..end]);
        }
        assert_eq!((file.read)(&reversed), Ok(()), "{}", file.format);
    }
}

#[test]
fn two_sections_with_exchanged_types_are_refused_even_when_their_sizes_agree() {
    for file in files() {
        let all = sections(&file.bytes);
        for left in &all {
            for right in &all {
                if left.id < right.id {
                    let swapped = edited(&file.bytes, |bytes| {
                        put_u32(bytes, left.header, right.id);
                        put_u32(bytes, right.header, left.id);
                    });
                    refusal(&file, &swapped);
                }
            }
        }
    }
}

#[test]
fn a_field_of_another_size_or_order_is_refused() {
    for file in files() {
        let id = if file.format == Format::Zkey { 2 } else { 1 };
        let start = super::common::section(&file.bytes, id).start;
        let wide = edited(&file.bytes, |bytes| put_u32(bytes, start, 48));
        assert!(matches!(
            refusal(&file, &wide),
            InvalidFile::Number {
                what: "bytes of a field element",
                found: 48,
                ..
            }
        ));
        let other = edited(&file.bytes, |bytes| bytes[start + 4] ^= 2);
        let refused = refusal(&file, &other);
        assert!(matches!(refused, InvalidFile::Prime { .. }));
        assert!(refused.to_string().contains("BN254"), "{refused}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_a_reader_panic(
        format in 0usize..4, bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let read = [read_zkey, read_wtns, read_r1cs, read_ptau][format];
        let magic = [Format::Zkey, Format::Wtns, Format::R1cs, Format::Ptau][format].magic();
        prop_assert!(read(&bytes).is_err());
        let with_header = [&magic[..], &[if format == 1 { 2 } else { 1 }, 0, 0, 0], &bytes].concat();
        prop_assert!(read(&with_header).is_err());
    }

    #[test]
    fn no_edit_of_a_file_makes_a_reader_panic(
        which in 0usize..8,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        thread_local!(static FILES: Vec<File> = files());
        FILES.with(|files| {
            let file = &files[which];
            let mut bytes = file.bytes.clone();
            for (at, value) in edits {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = (file.read)(&bytes);
        });
    }
}

#[test]
fn a_flipped_bit_of_a_zkey_is_refused_wherever_the_file_can_tell() {
    let file = &files()[0];
    let all = sections(&file.bytes);
    let mut passed = Vec::new();
    for at in (0..file.bytes.len()).step_by(7) {
        let flipped = edited(&file.bytes, |bytes| bytes[at] ^= 1 << (at % 8));
        let accepted = RawZkey::parse(&flipped)
            .and_then(|raw| raw.validate())
            .is_ok();
        let section = all.iter().find(|s| (s.start..s.end).contains(&at));
        if accepted {
            passed.push(section.unwrap().id);
        }
    }
    passed.dedup();
    // Coefficients are any elements, and the hash of a circuit any hash: a proof with such a key doesn't verify, see `zkey`.
    assert_eq!(passed, [4, 10]);
}
