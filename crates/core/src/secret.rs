//! A value that does not print. Refuses `Debug`, `Display`, `Serialize` and `==`, so that no log line, error or
//! answer can carry it by accident, and wipes its memory when dropped.

use zeroize::Zeroize;

/// A secret of type `T`. The only way to the value is [`Secret::expose`], which is easy to search for.
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
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
