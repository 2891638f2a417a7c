//! Compiling a stranger's component, with a limit on time and memory. Cranelift has neither, so a process of its
//! own does it where there is a program to start: `pegbox` itself, with a command that only this file knows.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pegbox_manifest::Limits;
use wasmtime::Engine;

use crate::engine;
use crate::error::cut;

/// The command of [`Compiler::program`]: `program compile-plugin SECONDS MIB < component > code`.
pub const COMPILE_COMMAND: &str = "compile-plugin";

/// How often a compiler that runs is looked at.
const GLANCE: Duration = Duration::from_millis(2);
/// What a compiler says of its failure, in bytes.
const MAX_COMPLAINT: u64 = 4096;

/// A program that answers [`COMPILE_COMMAND`] with [`serve`].
#[derive(Clone, Debug)]
pub struct Compiler {
    pub program: PathBuf,
}

/// Why there is no compiled code.
#[derive(Debug)]
pub enum CompileError {
    /// It is not a component, or not one that wasmtime takes.
    Invalid(String),
    /// It is a component, but no instance of it fits into the sandbox, whatever its limits.
    DoesNotFit(String),
    /// It took longer than `limits.compile-seconds`.
    TooSlow,
    /// The compiler ended without a word, most likely for want of memory.
    TooLarge,
    /// The compiler could not be started or spoken to.
    Broken(io::Error),
}

impl Compiler {
    /// Compiles `component` in a process of its own.
    pub fn compile(&self, component: &[u8], limits: &Limits) -> Result<Vec<u8>, CompileError> {
        let mut child = Command::new(&self.program)
            .arg(COMPILE_COMMAND)
            .arg(limits.compile_seconds.to_string())
            .arg(limits.compile_mib.to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(CompileError::Broken)?;
        let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(CompileError::Broken(io::Error::other("no pipes")));
        };
        std::thread::scope(|scope| {
            // A compiler that ends early closes its end; that it did shows in its status.
            scope.spawn(move || stdin.write_all(component));
            let code = scope.spawn(move || {
                let mut code = Vec::new();
                stdout.read_to_end(&mut code).map(|_| code)
            });
            let complaint = scope.spawn(move || {
                let mut text = Vec::new();
                // What cannot be read is no explanation.
                let _ = stderr.take(MAX_COMPLAINT).read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            });
            let ended = wait(&mut child, Duration::from_secs(limits.compile_seconds));
            let code =
                code.join().map_err(|_| CompileError::Broken(io::Error::other("a thread panicked")))?;
            let complaint = complaint.join().unwrap_or_default();
            match ended.map_err(CompileError::Broken)? {
                None => Err(CompileError::TooSlow),
                Some(status) if status.success() => code.map_err(CompileError::Broken),
                Some(status) if status.code() == Some(INVALID) => Err(CompileError::Invalid(complaint)),
                Some(_) => Err(CompileError::TooLarge),
            }
        })
    }
}

/// Exit status of a compiler that refuses the component.
const INVALID: i32 = 3;

fn wait(child: &mut Child, most: Duration) -> io::Result<Option<std::process::ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > most {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(GLANCE);
    }
}

/// What the program does for [`COMPILE_COMMAND`]: limits itself, reads a component, writes its code. Returns the
/// exit status.
pub fn serve(arguments: &[String]) -> i32 {
    let mut numbers = arguments.iter().map(|text| text.parse::<u64>());
    let (Some(Ok(_seconds)), Some(Ok(mib)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        eprintln!("this command is Pegbox's own");
        return 2;
    };
    limit_memory(mib);
    let mut component = Vec::new();
    let code =
        io::stdin().lock().read_to_end(&mut component).map_err(|error| error.to_string()).and_then(|_| {
            let engine = Engine::new(&engine::config(engine::DEFAULT_STACK_KIB))
                .map_err(|error| format!("{error:#}"))?;
            engine.precompile_component(&component).map_err(|error| format!("{error:#}"))
        });
    match code {
        Ok(code) => i32::from(io::stdout().lock().write_all(&code).is_err()),
        // Not the component's fault: wasmtime tells some of its failed allocations instead of dying of them.
        Err(fault) if fault.contains("out of memory") => 1,
        Err(fault) => {
            // More than the other side reads would end this process before it gave its status.
            eprint!("{}", cut(&fault, MAX_COMPLAINT as usize / 2));
            INVALID
        }
    }
}

/// Of data only: address space that is merely reserved does not count.
#[cfg(unix)]
fn limit_memory(mib: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit { current: Some(mib << 20), maximum: Some(mib << 20) };
    // Where the system refuses, the limit on time remains.
    let _ = setrlimit(Resource::Data, limit);
}

#[cfg(not(unix))]
fn limit_memory(_: u64) {}
