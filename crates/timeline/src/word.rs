//! Closed sets of words: enums whose variants have one word each, the same in files, reports and messages.

/// An enum whose variants have one word each. [`words!`](crate::words!) implements it.
pub trait Word: Copy + Eq + 'static {
    /// All of them, in the order in which they are documented.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [&'static str];
    /// What the enum is: its doc comment as it is written, each line with its leading space and its end. Empty
    /// where it is written elsewhere.
    const DOC: &'static str;
    /// The same of each variant, in the order of [`Word::ALL`].
    const DOCS: &'static [&'static str];

    /// The word for it.
    fn word(self) -> &'static str;

    /// The one that `word` names.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }
}

/// Defines an enum whose variants have one word each, or gives words to one that exists.
///
/// ```
/// timeline::words! {
///     /// How a stair is climbed.
///     pub enum Pace {
///         /// One step at a time.
///         Single = "one-by-one",
///         /// Two steps at a time.
///         Double = "two-by-two",
///     }
/// }
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// enum Side { Left, Right }
/// timeline::words! { impl Side { Left = "left", Right = "right", } }
///
/// assert_eq!(Pace::from_word("two-by-two"), Some(Pace::Double));
/// assert_eq!(Side::WORDS, ["left", "right"]);
/// assert_eq!(Side::Right.to_string(), "right");
/// ```
///
/// Both forms give the enum `ALL`, `WORDS`, `as_str` and `from_word`, [`Word`](crate::Word) and
/// [`Display`](std::fmt::Display). An enum that is defined here is also `Copy`, ordered, and read and written by
/// serde as its word. Enum and variants take doc comments and no other attribute.
#[macro_export]
macro_rules! words {
    (
        $(#[doc = $about:literal])*
        $vis:vis enum $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal ),+ $(,)? }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $( $(#[doc = $doc])* $variant, )+
        }

        $crate::words! { $(#[doc = $about])* impl $name { $( $(#[doc = $doc])* $variant = $word, )+ } }

        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word: std::borrow::Cow<'de, str> = $crate::__serde::Deserialize::deserialize(deserializer)?;
                Self::from_word(&word)
                    .ok_or_else(|| $crate::__serde::de::Error::unknown_variant(&word, Self::WORDS))
            }
        }
    };
    (
        $(#[doc = $about:literal])*
        impl $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal ),+ $(,)? }
    ) => {
        #[allow(unreachable_pub, dead_code, reason = "the enum may be private, and need only some of these")]
        impl $name {
            /// All of them, in the order in which they are documented.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];
            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[ $( $word, )+ ];

            /// The word for it in files and reports.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }

            /// The one that `word` names.
            pub fn from_word(word: &str) -> Option<Self> {
                <Self as $crate::Word>::from_word(word)
            }
        }

        impl $crate::Word for $name {
            const ALL: &'static [Self] = Self::ALL;
            const WORDS: &'static [&'static str] = Self::WORDS;
            const DOC: &'static str = concat!($( $about, "\n" ),*);
            const DOCS: &'static [&'static str] = &[ $( concat!($( $doc, "\n" ),*), )+ ];

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::Word as _;

    crate::words! {
        /// A colour.
        enum Colour {
            /// Like blood.
            /// Or roses.
            Red = "red",
            /// Like the sky.
            SkyBlue = "sky-blue",
        }
    }

    #[test]
    fn each_has_one_word_and_one_meaning() {
        assert_eq!(Colour::ALL, [Colour::Red, Colour::SkyBlue]);
        assert_eq!(Colour::from_word("sky-blue"), Some(Colour::SkyBlue));
        assert_eq!(Colour::from_word("SkyBlue"), None);
        assert_eq!(format!("{:>9}", Colour::SkyBlue), " sky-blue");
        assert_eq!(Colour::DOC, " A colour.\n");
        assert_eq!(Colour::DOCS, [" Like blood.\n Or roses.\n", " Like the sky.\n"]);
    }

    #[test]
    fn serde_writes_and_reads_the_word() {
        assert_eq!(serde_json::to_string(&Colour::SkyBlue).unwrap(), "\"sky-blue\"");
        assert_eq!(serde_json::from_str::<Colour>("\"red\"").unwrap(), Colour::Red);
        let error = serde_json::from_str::<Colour>("\"green\"").unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `green`, expected `red` or `sky-blue`"), "{error}");
    }
}
