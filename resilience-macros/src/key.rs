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
    /// A whole number.
    Count(Count),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Flag,
    /// A count of calls or a duration.
    Window,
    /// One of these words, each with the path it stands for.
    Choice(&'static [(&'static str, &'static str)]),
    /// A path to a function, or a closure, from `&E` to `bool`.
    Predicate,
    /// A path to a function, or a closure, from `&E` to a kind of failure.
    Classifier,
    /// A path to a function, or a closure, of something else.
    Callback(&'static Callback),
    /// A pattern over the error.
    Pattern,
    /// As a choice, or a path to a function, or a closure, from the number of an attempt to a delay.
    Backoff(&'static [(&'static str, &'static str)]),
    /// "none", or the name of a budget.
    Budget,
    /// An expression that can be shown, evaluated at each call.
    CallKey,
}

/// What a function or closure takes and returns, in words.
pub(crate) struct Callback {
    pub(crate) takes: &'static [&'static str],
    pub(crate) returns: &'static str,
    /// The same, as a row of the reference shows it.
    #[cfg_attr(not(test), allow(dead_code, reason = "rendered into the reference by a test"))]
    pub(crate) signature: &'static str,
}

/// A range of whole numbers of a type.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    pub(crate) ty: &'static str,
    pub(crate) least: u32,
    pub(crate) most: u32,
}

impl Count {
    pub(crate) const POSITIVE: Self = Self { ty: "u32", least: 1, most: u32::MAX };
    pub(crate) const ANY: Self = Self { ty: "u32", least: 0, most: u32::MAX };
}

/// A range of numbers.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    /// Finite and above 0.
    Multiplier,
    /// Finite and at least 1.
    Growth,
    /// From 0 to 1.
    Fraction,
    /// Above 0 and at most 1.
    Share,
}

impl Number {
    /// The rule in words, as it follows the key's name.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Multiplier => "must be a finite number above 0",
            Self::Growth => "must be a finite number of at least 1",
            Self::Fraction => "must be from 0 to 1",
            Self::Share => "must be above 0 and at most 1",
        }
    }

    /// The check of a constant, as the runtime names it.
    pub(crate) fn check(self) -> &'static str {
        match self {
            Self::Multiplier => "multiplier",
            Self::Growth => "growth",
            Self::Fraction => "fraction",
            Self::Share => "share",
        }
    }

    pub(crate) fn contains(self, number: f64) -> bool {
        match self {
            Self::Multiplier => number.is_finite() && number > 0.0,
            Self::Growth => number.is_finite() && number >= 1.0,
            Self::Fraction => (0.0..=1.0).contains(&number),
            Self::Share => number > 0.0 && number <= 1.0,
        }
    }
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

    /// The expression over the arguments that picks the instance.
    pub(crate) const fn per_call(doc: &'static str) -> Self {
        Self::site("key", ValueKind::CallKey, "host", doc)
    }

    /// The bound on instances per value.
    pub(crate) const fn max_keys(doc: &'static str) -> Self {
        Self::setting("max_keys", ValueKind::Count(Count::POSITIVE), "10_000", doc)
    }

    /// How the key is written.
    pub(crate) fn usage(&self) -> String {
        let (Sample::Default(value) | Sample::Example(value)) = self.sample;
        format!("`{} = {value}`", self.name)
    }
}
