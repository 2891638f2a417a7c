//! The rows of a file: `cargo run -p pegbox-records --example rows -- FILE role=name...`.

use std::path::Path;

use pegbox_records::{Quarantined, ReadSettings, Schema, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let fields: Vec<(String, String)> = arguments
        .filter_map(|field| field.split_once('=').map(|(role, name)| (role.to_owned(), name.to_owned())))
        .collect();
    let settings = ReadSettings::new(Schema::new(fields)?);
    let reader = open(Path::new(&path), &settings, 0, 0)?;
    println!("{path}: {}, layout {}", reader.format(), reader.layout());
    let (mut records, mut faults) = (0, 0);
    for row in reader {
        match row {
            Ok(record) => {
                if records < 3 {
                    println!("  {}: {:?}", record.line, record.values);
                }
                records += 1;
            }
            Err(error) => {
                if faults < 3 {
                    println!("  {}", serde_json::to_string(&Quarantined::from(&error))?);
                    println!("    help: {}", error.help().unwrap_or_default());
                }
                faults += 1;
            }
        }
    }
    println!("  {records} records, {faults} faults");
    Ok(())
}
