//! What the clients need, from Debian, npm and PyPI.

use std::{collections::BTreeMap, path::Path, process::Command as Program};

use anyhow::{Context as _, bail};

/// Installs all of it, what is there already included.
pub(crate) fn all(root: &Path) -> anyhow::Result<()> {
    let here = root.join("interop");
    let wanted: Vec<&str> =
        [("chromium", "chromium"), ("turnserver", "coturn"), ("node", "nodejs"), ("npm", "npm")]
            .into_iter()
            .filter(|(program, _)| !is_there(program))
            .map(|(_, package)| package)
            .collect();
    if !wanted.is_empty() {
        run(Program::new("apt-get").arg("update"))?;
        run(Program::new("apt-get").args(["install", "--yes", "--no-install-recommends"]).args(wanted))?;
    }
    run(Program::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&here))?;
    let venv = here.join("venv");
    if !venv.join("bin/python").exists() {
        run(Program::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Program::new(venv.join("bin/pip"))
        .args(["install", "--quiet", "--requirement"])
        .arg(here.join("requirements.txt")))
}

/// What is installed of what was played.
pub(crate) fn versions(root: &Path, versions: &mut BTreeMap<String, String>) {
    let here = root.join("interop");
    let mut put = |name: &str, version: Option<String>| {
        if let Some(version) = version {
            versions.insert(name.to_owned(), version);
        }
    };
    let chromium = output(Program::new(crate::client::CHROMIUM).arg("--version"));
    // "Chromium 156.0.8078.114 built on Debian …"
    put("Chromium", chromium.and_then(|text| Some(text.split_whitespace().nth(1)?.to_owned())));
    put("webrtc", Some("0.21.1".to_owned()));
    for package in ["@roamhq/wrtc", "werift", "node-datachannel"] {
        let manifest = std::fs::read_to_string(here.join("node_modules").join(package).join("package.json"));
        let manifest = manifest.ok().and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        put(package, manifest.and_then(|manifest| Some(manifest["version"].as_str()?.to_owned())));
    }
    let python = here.join("venv/bin/python");
    put("aiortc", output(Program::new(python).args(["-c", "import aiortc; print(aiortc.__version__)"])));
}

fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).exists())
}

fn output(program: &mut Program) -> Option<String> {
    let output = program.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn run(program: &mut Program) -> anyhow::Result<()> {
    let status = program.status().with_context(|| format!("cannot start {:?}", program.get_program()))?;
    if !status.success() {
        bail!("{program:?} fails: {status}");
    }
    Ok(())
}
