//! Sigstore bundles: who signed, by a certificate for a moment and a public log, checked without asking
//! anybody. The trusted root is the public one that the crate brings; it changes about once a year, and a
//! bundle that needs a newer one is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::{Artifact, Bundle};
use sigstore_verify::{VerificationPolicy, Verifier};

use crate::error::RegistryError;
use crate::limits;

/// Somebody whom an identity provider knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// As the certificate writes it, to the letter: an address of e-mail, or a workflow such as
    /// `https://github.com/acme/plugins/.github/workflows/release.yml@refs/heads/main`.
    pub identity: String,
    /// Who vouches for it, such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,
}

/// Understands a bundle, and looks at nothing but its form.
///
/// # Errors
/// It is too large, or not a bundle.
pub fn parse_bundle(text: &str) -> Result<Bundle, RegistryError> {
    if text.len() as u64 > limits::SIGNATURE {
        return Err(RegistryError::TooLarge {
            what: "a Sigstore bundle".to_owned(),
            limit: limits::SIGNATURE,
        });
    }
    Bundle::from_json(text)
        .map_err(|fault| RegistryError::Signature { fault: format!("is no Sigstore bundle: {fault}") })
}

/// Whether `bundle` shows that `identity` signed `artifact`; otherwise why not.
pub(crate) fn is_signed<'a>(
    artifact: impl Into<Artifact<'a>>,
    bundle: &Bundle,
    identity: &Identity,
) -> Result<(), String> {
    provider::install();
    let root = TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT).map_err(|fault| fault.to_string())?;
    let policy = VerificationPolicy::new(identity.identity.clone(), identity.issuer.clone());
    let verifier = Verifier::new(&root).map_err(|fault| fault.to_string())?;
    let result = verifier.verify(artifact, bundle, &policy).map_err(|fault| fault.to_string())?;
    let is_whole = result.certificate_verified()
        && result.sct_verified()
        && result.tlog_verified()
        && result.identity_policy_checked();
    if is_whole { Ok(()) } else { Err("not every part of it was checked".to_owned()) }
}

/// `ring` for the crate that checks bundles.
mod provider {
    use ring::digest::{Context, SHA256, SHA384, SHA512};
    use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
    use sigstore_verify::crypto::error::{Error, Result};
    use sigstore_verify::crypto::{CryptoProvider, HashContext, SigningScheme, install_default_provider};
    use sigstore_verify::types::HashAlgorithm;

    #[derive(Debug)]
    struct Ring;

    struct Hash(Context);

    /// Once a process; the same one again is no fault.
    pub(super) fn install() {
        let _installed = install_default_provider(&Ring);
    }

    impl HashContext for Hash {
        fn update(&mut self, data: &[u8]) {
            self.0.update(data);
        }

        fn finalize(self: Box<Self>) -> Vec<u8> {
            self.0.finish().as_ref().to_vec()
        }
    }

    impl CryptoProvider for Ring {
        fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
            let algorithm = match algorithm {
                HashAlgorithm::Sha2256 => &SHA256,
                HashAlgorithm::Sha2384 => &SHA384,
                HashAlgorithm::Sha2512 => &SHA512,
                other => return Err(Error::UnsupportedAlgorithm(format!("{other:?}"))),
            };
            Ok(Box::new(Hash(Context::new(algorithm))))
        }

        fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
            UnparsedPublicKey::new(algorithm(scheme)?, key)
                .verify(data, signature)
                .map_err(|_| Error::Verification("the signature does not hold".to_owned()))
        }

        fn verify_prehashed(&self, scheme: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<()> {
            // Bundles are checked over the bytes themselves, which `ring` hashes as it goes.
            Err(Error::UnsupportedAlgorithm(format!("{scheme:?} over a digest")))
        }
    }

    fn algorithm(scheme: SigningScheme) -> Result<&'static dyn VerificationAlgorithm> {
        Ok(match scheme {
            SigningScheme::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
            SigningScheme::EcdsaP256Sha384 => &signature::ECDSA_P256_SHA384_ASN1,
            SigningScheme::EcdsaP384Sha256 => &signature::ECDSA_P384_SHA256_ASN1,
            SigningScheme::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
            SigningScheme::Ed25519 => &signature::ED25519,
            SigningScheme::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
            SigningScheme::RsaPssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
            SigningScheme::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
            SigningScheme::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            SigningScheme::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            SigningScheme::RsaPkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            other => return Err(Error::UnsupportedAlgorithm(format!("{other:?}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use sigstore_verify::types::{ArtifactDigest, DigestBytes, HashAlgorithm};

    use super::*;

    /// What npm publishes for sigstore-js 2.0.0: see the README beside it.
    const BUNDLE: &str = include_str!("../tests/data/sigstore-js-2.0.0.sigstore.json");
    const TARBALL: &str = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1\
                           e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";

    fn tarball(digits: &str) -> ArtifactDigest {
        let bytes: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
            .collect();
        ArtifactDigest::new(HashAlgorithm::Sha2512, DigestBytes::new(bytes)).unwrap()
    }

    fn release() -> Identity {
        Identity {
            identity: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
                .to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
        }
    }

    #[test]
    fn a_published_bundle_holds_for_what_was_published() {
        let bundle = parse_bundle(BUNDLE).unwrap();
        assert_eq!(is_signed(tarball(TARBALL), &bundle, &release()), Ok(()));
    }

    #[test]
    fn another_artifact_identity_or_issuer_is_refused() {
        let bundle = parse_bundle(BUNDLE).unwrap();
        assert!(is_signed(tarball(&TARBALL.replacen("46", "47", 1)), &bundle, &release()).is_err());
        assert!(is_signed(b"other bytes".as_slice(), &bundle, &release()).is_err());
        let fork = Identity { identity: release().identity.replace("sigstore/", "evil/"), ..release() };
        assert!(is_signed(tarball(TARBALL), &bundle, &fork).is_err());
        let issuer = Identity { issuer: "https://accounts.google.com".to_owned(), ..release() };
        assert!(is_signed(tarball(TARBALL), &bundle, &issuer).is_err());
    }

    #[test]
    fn a_bundle_that_was_tampered_with_is_refused() {
        let value: serde_json::Value = serde_json::from_str(BUNDLE).unwrap();
        for pointer in [
            "/dsseEnvelope/signatures/0/sig",
            "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
            "/verificationMaterial/tlogEntries/0/canonicalizedBody",
            "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
        ] {
            let mut tampered = value.clone();
            let text = tampered.pointer_mut(pointer).unwrap();
            let old = text.as_str().unwrap();
            let (head, tail) = old.split_at(old.len() / 2);
            let other = if tail.starts_with('A') { "B" } else { "A" };
            *text = format!("{head}{other}{}", &tail[1..]).into();
            let outcome = parse_bundle(&tampered.to_string())
                .map_err(|error| error.to_string())
                .and_then(|bundle| is_signed(tarball(TARBALL), &bundle, &release()));
            assert!(outcome.is_err(), "{pointer}");
        }
        assert!(parse_bundle("{}").is_err());
    }
}
