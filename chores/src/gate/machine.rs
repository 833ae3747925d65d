//! What the machine can do, and how it is doing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
};

use gate::instructions::Valgrind;

use crate::process;

/// The program of this name on the search path.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    file.is_file()
}

/// What starts a program at the same addresses each time: `setarch -R` (util-linux), where it is there and
/// allowed.
pub(super) fn fixed_addresses() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let setarch = find("setarch")?;
        let tried = process::output(Command::new(&setarch).args(["-R", "true"])).ok()?;
        tried.status.success().then_some(setarch)
    });
    found.clone()
}

/// Whether valgrind is there.
pub(super) fn valgrind() -> Valgrind {
    let Some(program) = find("valgrind") else { return Valgrind::Missing };
    let said = process::output(Command::new(program).arg("--version"));
    Valgrind::from_version_output(
        said.ok().map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).as_deref(),
    )
}

/// What instruction counts depend on beside the program: the C library chooses its functions by the processor that
/// valgrind shows it.
pub(super) fn counted_conditions() -> [(&'static str, String); 2] {
    let libc =
        process::output(Command::new("getconf").arg("GNU_LIBC_VERSION")).ok().and_then(|said| said.success());
    let libc = libc.map_or("unknown".to_owned(), |text| text.trim().to_owned());
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    [("instructions.libc", libc), ("instructions.features", features(&cpuinfo))]
}

/// Of the extensions that valgrind passes on where the processor has them.
fn features(cpuinfo: &str) -> String {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |name: &&str| flags.split_whitespace().any(|flag| flag == *name);
    ["avx", "avx2", "f16c", "rdrand", "rdseed"].into_iter().filter(has).collect::<Vec<_>>().join(" ")
}

/// How many threads run at once.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// "2 cores, Intel(R) Xeon(R) CPU @ 2.20GHz, Linux 6.1.0".
pub(super) fn description() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let name = name.trim_start_matches([' ', '\t', ':']);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} cores, {name}, Linux {}", cores(), kernel.trim())
}

/// How the processor chooses its frequency; `None` where the kernel does not say, as in most virtual machines.
pub(super) fn governor() -> Option<String> {
    let text = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").ok()?;
    Some(text.trim().to_owned())
}

/// Where the processors' time went since the machine started (proc_stat(5)), in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
}

impl Ticks {
    /// Until now; `None` where the kernel does not say.
    pub(super) fn now() -> Option<Self> {
        Self::of(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// From the text of `/proc/stat`.
    fn of(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; guests are in user already.
        let all = ticks.iter().take(8).sum();
        let idle = ticks.get(3)? + ticks.get(4)?;
        Some(Self { all, idle, stolen: *ticks.get(7)? })
    }

    /// Which shares were busy and stolen by other virtual machines since `before`.
    pub(super) fn since(self, before: Self) -> (f64, f64) {
        let all = self.all.saturating_sub(before.all).max(1) as f64;
        let idle = self.idle.saturating_sub(before.idle) as f64;
        let stolen = self.stolen.saturating_sub(before.stolen) as f64;
        ((all - idle - stolen) / all, stolen / all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_busy_idle_or_stolen() {
        let before = Ticks::of("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n").unwrap();
        let after = Ticks::of("cpu  130 0 120 730 110 0 0 10 0 0\n").unwrap();
        assert_eq!(after.since(before), (0.5, 0.1));
        assert_eq!(Ticks::of("cpu0 1 2 3 4 5 6 7 8"), None);
        assert_eq!(Ticks::of("cpu  1 2 3"), None);
    }

    #[test]
    fn features_are_whole_words_in_an_order_of_their_own() {
        assert_eq!(features("flags\t\t: fpu rdseed avx2 avx512f\nflags : avx"), "avx2 rdseed");
        assert_eq!(features("Features : fp asimd"), "");
    }

    #[test]
    fn what_is_not_on_the_search_path_is_not_found() {
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find("no-such-program-at-all"), None);
    }
}
