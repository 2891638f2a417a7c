//! From files to shards of records.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use pegbox_records::{Origins, Quarantined, ReadError, Record, Schema, shard};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::job::{OnError, PrepareJob, SourceFile};
use crate::json_lines::JsonLines;
use crate::progress::Progress;
use crate::report::{EXAMPLES, FileReport};
use crate::rows::{SHARD_BYTES, SHARD_ROWS, Shards};
use crate::work::Step;

/// Records between two calls to the progress.
const TICK: u64 = 4096;
/// The rows that could not be read, as JSON lines.
pub(crate) const QUARANTINED: &str = "quarantined.jsonl";

/// What was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Read {
    pub files: Vec<FileReport>,
    pub quarantined: u64,
    pub quarantine: Vec<Quarantined>,
    /// Rows of each shard.
    pub shards: Vec<u32>,
}

impl Read {
    /// The records of the step that made this.
    pub fn shards(&self, step: &Step, schema: &Schema) -> Result<Shards, DataError> {
        let sizes = self.shards.iter().map(|rows| (*rows, 0));
        let ids = self.shards.iter().map(|rows| u64::from(*rows)).sum();
        Shards::new(step.folder().to_owned(), schema.clone(), sizes, ids)
    }
}

/// Reads all files, one after the other, while other threads write the shards. An interrupted step reads again, and
/// writes what is missing.
pub(crate) fn read(
    step: &Step,
    job: &PrepareJob,
    origins: &Origins,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Read, DataError> {
    if let Some(read) = step.finished() {
        return Ok(read);
    }
    // Full shards wait here for a thread to write them.
    let (sender, receiver) = sync_channel::<(usize, Vec<Record>)>(threads);
    let receiver = Mutex::new(receiver);
    let read = thread::scope(|scope| {
        let writers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| write_shards(step, &job.schema, &receiver))).collect();
        let read = Reading::new(step, job, origins, progress).and_then(|mut reading| {
            reading.all(&mut |number, records| sender.send((number, records)).is_ok())?;
            reading.finish()
        });
        drop(sender);
        let written = writers.into_iter().map(|writer| match writer.join() {
            Ok(written) => written,
            Err(_) => Err(DataError::Thread { doing: "write a shard" }),
        });
        // Where a writer failed, the reader only found that nobody listens.
        written.collect::<Result<Vec<()>, DataError>>().and(read)
    })?;
    step.finish(&read)?;
    Ok(read)
}

fn write_shards(
    step: &Step,
    schema: &Schema,
    receiver: &Mutex<Receiver<(usize, Vec<Record>)>>,
) -> Result<(), DataError> {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, records)) = next else { return Ok(()) };
        let path = step.shard(number, "records");
        if !path.exists() {
            shard::write(&path, schema, &records)?;
        }
    }
}

/// Takes a shard's number and records; says whether to go on.
type Sink<'a> = &'a mut dyn FnMut(usize, Vec<Record>) -> bool;

struct Reading<'a> {
    job: &'a PrepareJob,
    origins: &'a Origins,
    progress: &'a dyn Progress,
    read: Read,
    /// Written anew whenever the files are read.
    quarantine: JsonLines,
    records: Vec<Record>,
    bytes: usize,
    next_id: u64,
}

impl<'a> Reading<'a> {
    fn new(
        step: &Step,
        job: &'a PrepareJob,
        origins: &'a Origins,
        progress: &'a dyn Progress,
    ) -> Result<Self, DataError> {
        Ok(Self {
            job,
            origins,
            progress,
            read: Read { files: Vec::new(), quarantined: 0, quarantine: Vec::new(), shards: Vec::new() },
            quarantine: JsonLines::create(&step.folder().join(QUARANTINED))?,
            records: Vec::new(),
            bytes: 0,
            next_id: 0,
        })
    }

    fn all(&mut self, sink: Sink<'_>) -> Result<(), DataError> {
        for (number, source) in self.job.sources.iter().enumerate() {
            let name = self.origins.files().get(number).cloned().unwrap_or_default();
            self.file(number as u32, source, name, sink)?;
        }
        if !self.records.is_empty() {
            self.flush(sink);
        }
        Ok(())
    }

    fn file(
        &mut self,
        number: u32,
        source: &SourceFile,
        name: String,
        sink: Sink<'_>,
    ) -> Result<(), DataError> {
        let stage = format!("read {name}");
        let settings = self.job.reading.settings(&self.job.schema);
        let mut reader = pegbox_records::open(&source.path, &settings, number, self.next_id)?;
        let mut file = FileReport {
            name,
            part: source.part,
            rows: 0,
            quarantined: 0,
            format: reader.format().to_string(),
            layout: reader.layout().to_string(),
        };
        while self.job.reading.limit.is_none_or(|limit| file.rows < limit) {
            let Some(record) = reader.next() else { break };
            match record {
                Ok(record) => {
                    file.rows += 1;
                    self.bytes += record.values.iter().flatten().map(String::len).sum::<usize>();
                    self.records.push(record);
                    let full = self.records.len() >= SHARD_ROWS || self.bytes >= SHARD_BYTES;
                    if full && !self.flush(sink) {
                        return Ok(());
                    }
                }
                Err(error) if self.job.reading.on_error == OnError::Quarantine && error.is_of_row() => {
                    file.quarantined += 1;
                    self.set_aside(&error, &file.name)?;
                }
                Err(error) => return Err(error.into()),
            }
            if file.rows.is_multiple_of(TICK) {
                self.progress.at(&stage, file.rows, None);
            }
        }
        self.next_id = reader.next_id();
        self.progress.at(&stage, file.rows, Some(file.rows));
        self.read.files.push(file);
        Ok(())
    }

    fn flush(&mut self, sink: Sink<'_>) -> bool {
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        self.read.shards.push(records.len() as u32);
        sink(self.read.shards.len() - 1, records)
    }

    fn set_aside(&mut self, error: &ReadError, name: &str) -> Result<(), DataError> {
        let mut row = Quarantined::from(error);
        // The file is called here as it is everywhere else in the dataset.
        if let Some(place) = row.origin.strip_prefix(&error.path.display().to_string()) {
            row.origin = format!("{name}{place}");
        }
        self.quarantine.add(&row)?;
        self.read.quarantined += 1;
        if self.read.quarantine.len() < EXAMPLES {
            self.read.quarantine.push(row);
        }
        Ok(())
    }

    fn finish(self) -> Result<Read, DataError> {
        self.quarantine.finish()?;
        Ok(self.read)
    }
}
