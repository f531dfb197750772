//! A configuration file as a QR code for a terminal, which WireGuard's apps for phones read.

use qrcode::{Color, EcLevel, QrCode, types::QrError as Encoding};
use zeroize::Zeroizing;

use super::Conf;

/// Modules that stay light around a code (ISO/IEC 18004, section 6.3.8).
const QUIET_ZONE: usize = 4;
/// Black on white by number, whatever the terminal's own colours are; and back to those.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Why there is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// The largest code holds 2,953 bytes.
    #[error(
        "the configuration is too long for a QR code ({bytes} bytes, 2,953 at most); leave out peers or addresses, or copy the file"
    )]
    TooLong {
        /// Of the file.
        bytes: usize,
    },
    /// The encoder refuses.
    #[error("the QR code could not be made; copy the file instead")]
    NotMade,
}

/// Two modules to a character, with the quiet zone, black on white in any terminal. Whoever photographs it has the
/// secrets of the file.
///
/// # Errors
/// [`QrError`].
pub fn qr(conf: &Conf) -> Result<Zeroizing<String>, QrError> {
    let mut file = Zeroizing::new(String::new());
    conf.write(&mut file);
    let code =
        QrCode::with_error_correction_level(file.as_bytes(), EcLevel::L).map_err(|error| {
            match error {
                Encoding::DataTooLong => QrError::TooLong { bytes: file.len() },
                _ => QrError::NotMade,
            }
        })?;
    let width = code.width();
    let modules = Zeroizing::new(
        code.into_colors()
            .into_iter()
            .map(|color| color == Color::Dark)
            .collect::<Vec<_>>(),
    );
    let full = width + 2 * QUIET_ZONE;
    let dark = |x: usize, y: usize| {
        let inside = QUIET_ZONE..QUIET_ZONE + width;
        inside.contains(&x)
            && inside.contains(&y)
            && modules[(y - QUIET_ZONE) * width + (x - QUIET_ZONE)]
    };
    let lines = full.div_ceil(2);
    // A half block is three bytes; a line has its colours and its end too.
    let line_length = full * "█".len() + BLACK_ON_WHITE.len() + RESET.len() + 1;
    let mut out = Zeroizing::new(String::with_capacity(lines * line_length));
    for line in 0..lines {
        out.push_str(BLACK_ON_WHITE);
        for x in 0..full {
            out.push(match (dark(x, 2 * line), dark(x, 2 * line + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push_str(RESET);
        out.push('\n');
    }
    Ok(out)
}
