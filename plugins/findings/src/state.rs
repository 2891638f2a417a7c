use pegbox_plugin::Error;
use serde::{Deserialize, Serialize};

/// What an instance has gathered, for another.
///
/// # Errors
/// None that is known.
pub fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(state)
        .map_err(|error| Error::new(format!("what was gathered cannot be encoded: {error}")))
}

/// What another instance has gathered.
///
/// # Errors
/// Bytes that [`encode`] did not make of a `T`.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    match postcard::take_from_bytes(bytes) {
        Ok((state, [])) => Ok(state),
        Ok(_) => Err(broken("it goes on after its end")),
        Err(error) => Err(broken(&error.to_string())),
    }
}

/// A state that makes no sense.
pub fn broken(why: &str) -> Error {
    Error::new(format!("the state of another instance cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_whole_or_not_at_all() {
        let state = (7_u64, vec!["a".to_owned()]);
        let mut bytes = encode(&state).unwrap();
        assert_eq!(decode::<(u64, Vec<String>)>(&bytes).unwrap(), state);
        assert!(decode::<(u64, Vec<String>)>(&bytes[..bytes.len() - 1]).is_err());
        bytes.push(0);
        let error = decode::<(u64, Vec<String>)>(&bytes).unwrap_err();
        assert_eq!(error.message(), "the state of another instance cannot be read: it goes on after its end");
    }
}
