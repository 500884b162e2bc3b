//! Leaves out of a failing schedule what its failure does not need. The unit tests of `tail` share this file.

/// Drops one step after another as long as what is left fails; gives that and its error.
pub(crate) fn shrink<T: Clone>(
    mut steps: Vec<T>,
    mut error: String,
    attempt: impl Fn(&[T]) -> Result<(), String>,
) -> (Vec<T>, String) {
    loop {
        let before = steps.len();
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.remove(at);
            match attempt(&fewer) {
                Err(smaller) => (steps, error) = (fewer, smaller),
                Ok(()) => at += 1,
            }
        }
        if steps.len() == before {
            return (steps, error);
        }
    }
}
