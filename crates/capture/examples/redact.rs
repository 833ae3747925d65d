//! Writes redacted copies: `cargo run -p callsim-capture --example redact -- FOLDER FILE[=NEW-NAME]…`. All files share
//! one redactor, so that those of one call still find together.

use std::{error::Error, fs, path::Path};

use capture::{Limits, redact::Redactor};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder do the copies go to?")?;
    let mut redactor = Redactor::new();
    for argument in arguments {
        let (file, name) = match argument.split_once('=') {
            Some((file, name)) => (file, name.to_owned()),
            None => {
                let name = Path::new(&argument).file_name().ok_or("not a file")?;
                (argument.as_str(), name.to_string_lossy().into_owned())
            }
        };
        let redacted = redactor.redact(file, fs::File::open(file)?, &Limits::default())?;
        let target = Path::new(&folder).join(name);
        fs::create_dir_all(target.parent().ok_or("not a file")?)?;
        fs::write(target, redacted)?;
    }
    Ok(())
}
