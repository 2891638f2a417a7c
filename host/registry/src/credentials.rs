//! The credentials that Docker keeps for a registry: `config.json`, and the helper programs that it names.
//! No message and no log shows them.

use std::env;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use oci_client::secrets::RegistryAuth;

use crate::error::RegistryError;

/// What to show the registry on `host`. `folder` stands for the user's own, `DOCKER_CONFIG` or `~/.docker`.
///
/// # Errors
/// There is a configuration, and it cannot be used.
pub(crate) fn of(host: &str, folder: Option<&Path>) -> Result<RegistryAuth, RegistryError> {
    let Some(folder) = folder.map(Path::to_owned).or_else(users_folder) else {
        return Ok(RegistryAuth::Anonymous);
    };
    let path = folder.join("config.json");
    for server in names(host) {
        let file = match File::open(&path) {
            Ok(file) => BufReader::new(file),
            Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(RegistryAuth::Anonymous);
            }
            Err(fault) => return Err(RegistryError::disk(&path)(fault)),
        };
        let fail = |fault: String| RegistryError::Credentials { host: host.to_owned(), fault };
        match get_credential_from_reader(file, &server) {
            Ok(DockerCredential::UsernamePassword(name, password)) => {
                return Ok(RegistryAuth::Basic(name, password));
            }
            Ok(DockerCredential::IdentityToken(_)) => {
                return Err(fail(
                    "they are an identity token; use a user name and an access token".to_owned(),
                ));
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => {}
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(fail(fault(&error, &path))),
        }
    }
    Ok(RegistryAuth::Anonymous)
}

/// Docker writes a registry as its host, or as an address.
fn names(host: &str) -> Vec<String> {
    match host {
        "docker.io" | "index.docker.io" => vec!["https://index.docker.io/v1/".to_owned()],
        host => vec![host.to_owned(), format!("https://{host}")],
    }
}

fn users_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")))
}

/// A helper has no other way to say that it has nothing than to fail with these words.
fn is_not_found(error: &CredentialRetrievalError) -> bool {
    matches!(error, CredentialRetrievalError::HelperFailure { stdout, stderr, .. }
        if [stdout, stderr].iter().any(|text| text.contains("credentials not found")))
}

/// What a helper printed stays out: it may be a secret.
fn fault(error: &CredentialRetrievalError, path: &Path) -> String {
    match error {
        CredentialRetrievalError::HelperFailure { helper, .. } => format!("`{helper}` failed"),
        CredentialRetrievalError::HelperCommunicationError => {
            format!("the helper that {} names could not be run", path.display())
        }
        CredentialRetrievalError::MalformedHelperResponse => {
            format!("the helper that {} names gave no credentials", path.display())
        }
        CredentialRetrievalError::CredentialMismatchError => {
            format!("{} contradicts itself", path.display())
        }
        _ => format!("{} cannot be understood", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(config: &str, host: &str) -> Result<RegistryAuth, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        of(host, Some(folder.path()))
    }

    #[test]
    fn credentials_are_found_under_both_names_of_a_host() {
        // me:secret
        for name in ["host.org:5000", "https://host.org:5000"] {
            let config = format!(r#"{{"auths": {{"{name}": {{"auth": "bWU6c2VjcmV0"}}}}}}"#);
            let found = with(&config, "host.org:5000").unwrap();
            assert_eq!(found, RegistryAuth::Basic("me".to_owned(), "secret".to_owned()));
            assert_eq!(with(&config, "other.org").unwrap(), RegistryAuth::Anonymous);
        }
    }

    #[test]
    fn without_a_configuration_nobody_asks() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of("host.org", Some(folder.path())).unwrap(), RegistryAuth::Anonymous);
        assert_eq!(with("{}", "host.org").unwrap(), RegistryAuth::Anonymous);
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_secret() {
        let broken = with(r#"{"auths": {"host.org": {"auth": "c2VjcmV0"}}}"#, "host.org").unwrap_err();
        assert!(!broken.to_string().contains("secret"), "{broken}");
        let token = with(r#"{"auths": {"host.org": {"identitytoken": "secret"}}}"#, "host.org").unwrap_err();
        assert!(token.to_string().contains("identity token") && !token.to_string().contains("secret"));
        assert!(token.help().unwrap().contains("docker login host.org"));
        let helper =
            with(r#"{"credHelpers": {"host.org": "pegbox-there-is-none"}}"#, "host.org").unwrap_err();
        assert!(helper.to_string().contains("could not be run"), "{helper}");
    }
}
