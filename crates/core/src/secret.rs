//! A value that does not print. Refuses `Debug`, `Display`, `Serialize` and `==`, so that no log line, error or
//! answer can carry it by accident, and wipes its memory when dropped.

use zeroize::Zeroize;

/// A secret of type `T`. The only way to the value is [`Secret::expose`], which is easy to search for.
///
/// ```compile_fail,E0277
/// println!("{:?}", doorcode_core::Secret::new(String::new()));
/// ```
/// ```compile_fail,E0277
/// println!("{}", doorcode_core::Secret::new(String::new()));
/// ```
/// ```compile_fail,E0369
/// let same = doorcode_core::Secret::new(1) == doorcode_core::Secret::new(1);
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// For the rules of this crate that build a secret up in place.
    pub(crate) const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
