//! Keys as data: what each attribute takes, and what the values may be.

/// One key of one attribute.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: ValueKind,
    pub(crate) role: Role,
    pub(crate) sample: Sample,
    #[cfg_attr(not(test), allow(dead_code, reason = "rendered into the reference by a test"))]
    pub(crate) doc: &'static str,
}

/// A value to show, in the reference and in messages.
#[derive(Clone, Copy)]
pub(crate) enum Sample {
    /// What holds without the key.
    Default(&'static str),
    /// What one might write.
    Example(&'static str),
}

/// What a key is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A setting of the instance, shared by all that name it.
    Setting,
    /// Something of this function alone.
    Site,
}

/// What a value may be.
#[derive(Clone, Copy)]
pub(crate) enum ValueKind {
    /// A string literal that is not empty.
    Name,
    /// The path of the facade crate.
    CratePath,
    /// A literal like "1.5s", or an expression of type `Duration`.
    Duration,
    /// As a duration, but zero makes no sense.
    PositiveDuration,
    /// As a positive duration; an expression is evaluated at each call.
    Limit,
    /// A whole number from 1 to the type's maximum.
    Count(CountType),
    /// As a count, or 0.
    CountOrZero,
    /// A finite number above 0.
    Multiplier,
    /// A number from 0 to 1.
    Fraction,
    /// One of these words, each with the path it stands for.
    Choice(&'static [(&'static str, &'static str)]),
    /// A path to a function, or a closure, from `&E` to `bool`.
    Predicate,
}

#[derive(Clone, Copy)]
pub(crate) enum CountType {
    U16,
    U32,
}

impl Key {
    pub(crate) const NAME: Self = Self {
        name: "name",
        kind: ValueKind::Name,
        role: Role::Site,
        sample: Sample::Example("\"payments\""),
        doc: "The instance; functions that give the same name share it. Without it the function has its own.",
    };
    pub(crate) const CRATE: Self = Self {
        name: "crate",
        kind: ValueKind::CratePath,
        role: Role::Site,
        sample: Sample::Default("::resilience"),
        doc: "Where the library is, if it was renamed or re-exported.",
    };

    /// A setting, with the default of its instance.
    pub(crate) const fn setting(name: &'static str, kind: ValueKind, default: &'static str, doc: &'static str) -> Self {
        Self { name, kind, role: Role::Setting, sample: Sample::Default(default), doc }
    }

    /// A setting that has to be given, with an example.
    pub(crate) const fn required(
        name: &'static str,
        kind: ValueKind,
        example: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, kind, role: Role::Setting, sample: Sample::Example(example), doc }
    }

    /// Something of the function alone, with an example.
    pub(crate) const fn site(name: &'static str, kind: ValueKind, example: &'static str, doc: &'static str) -> Self {
        Self { name, kind, role: Role::Site, sample: Sample::Example(example), doc }
    }

    /// How the key is written.
    pub(crate) fn usage(&self) -> String {
        let (Sample::Default(value) | Sample::Example(value)) = self.sample;
        format!("`{} = {value}`", self.name)
    }
}
