//! Settings as data: one table per policy gives the struct, its defaults, the builder and the list that shows where
//! two definitions of a name differ.

use crate::Name;

/// What every policy's settings can do.
pub trait Settings: Clone + PartialEq + Default + Send + Sync + 'static {
    /// Each setting's key and value, in the order of their definition.
    fn fields(&self) -> Vec<(&'static str, String)>;

    /// The first setting that cannot be meant, with the reason.
    fn fault(&self) -> Option<(&'static str, &'static str)>;
}

/// A builder was given a setting that cannot be meant.
///
/// Attributes report the same faults at compile time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}`: `{setting}` {reason}")]
#[non_exhaustive]
pub struct InvalidSetting {
    /// The kind of instance, as in "circuit breaker".
    pub kind: &'static str,
    /// The instance that was to be built.
    pub name: Name,
    /// The setting at fault.
    pub setting: &'static str,
    /// What it has to be, as in "must be at least 1".
    pub reason: &'static str,
}

/// A value as one would write it: without the `Some` of a setting that has no default.
pub(crate) fn shown(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.strip_prefix("Some(").and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

/// Defines a policy's settings and builder from one table.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $settings:ident, $builder:ident for $policy:ident {
            $( $(#[$doc:meta])* $field:ident: $type:ty $(, from $arg:ty)? = $default:expr; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $settings {
            $( $(#[$doc])* pub $field: $type, )*
        }

        impl Default for $settings {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $settings {
            $(
                $(#[$doc])*
                #[must_use]
                #[allow(clippy::useless_conversion, reason = "some settings are optional, most are not")]
                pub fn $field(mut self, value: settings!(@arg $type $(, $arg)?)) -> Self {
                    self.$field = value.into();
                    self
                }
            )*
        }

        impl $crate::settings::Settings for $settings {
            fn fields(&self) -> Vec<(&'static str, String)> {
                vec![$( (stringify!($field), $crate::settings::shown(&self.$field)), )*]
            }

            fn fault(&self) -> Option<(&'static str, &'static str)> {
                Self::fault(self)
            }
        }

        #[doc = concat!("Defines a named [`", stringify!($policy), "`] by hand.")]
        #[derive(Clone, Debug)]
        #[must_use = "a builder does nothing until `build` is called"]
        pub struct $builder {
            name: $crate::Name,
            settings: $settings,
        }

        impl $builder {
            pub(crate) fn new(name: &str) -> Self {
                Self { name: $crate::Name::interned(name), settings: $settings::default() }
            }

            $(
                $(#[$doc])*
                pub fn $field(mut self, value: settings!(@arg $type $(, $arg)?)) -> Self {
                    self.settings = self.settings.$field(value);
                    self
                }
            )*

            #[doc = concat!("Defines the name, or joins it where it is defined already; a definition that differs is \
                listed by [`verify`](", "crate::verify).")]
            ///
            /// # Errors
            ///
            /// A setting that cannot be meant; nothing is defined then.
            #[track_caller]
            pub fn build(self) -> Result<$policy, $crate::InvalidSetting> {
                $crate::registry::define(self.name, self.settings)
            }
        }
    };
    (@arg $type:ty) => { $type };
    (@arg $type:ty, $arg:ty) => { $arg };
}
pub(crate) use settings;
