//! The table of faults: the modules, the enum, the names in YAML and the way through it, all out of one list.

/// Makes everything that knows all faults.
macro_rules! faults {
    ($($module:ident, $name:literal => $variant:ident($config:ident),)*) => {
        $(mod $module;)*
        $(pub use $module::$config;)*
        pub use crash::CrashScope;

        /// The kinds of fault.
        #[derive(Clone, PartialEq, Debug)]
        #[allow(missing_docs)] // each documents itself
        pub enum FaultKind {
            $($variant($config),)*
        }

        impl FaultKind {
            /// Their names in YAML.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Name in YAML.
            pub fn name(&self) -> &'static str {
                match self { $(FaultKind::$variant(_) => $name,)* }
            }

            /// What it does.
            pub fn fault(&self) -> &dyn Fault {
                match self { $(FaultKind::$variant(fault) => fault,)* }
            }

            fn next_value<'de, A: serde::de::MapAccess<'de>>(
                name: &str,
                map: &mut A,
            ) -> Option<Result<FaultKind, A::Error>> {
                match name {
                    $($name => Some(map.next_value().map(FaultKind::$variant)),)*
                    _ => None,
                }
            }

            fn serialize_entry<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self { $(FaultKind::$variant(fault) => map.serialize_entry($name, fault),)* }
            }

            fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($name, generator.subschema_for::<$config>())),*]
            }
        }

        /// All keys of an entry, for messages.
        const KEYS: &[&str] = &["at", "for", "mtbf", "mttr", "name", "if-supported", $($name),*];
    };
}

pub(super) use faults;
