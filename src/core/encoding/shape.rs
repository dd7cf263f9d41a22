//! How structs and enums are laid out: fields in the order named, choices by their number.

/// A struct: its fields, one after the other.
macro_rules! fields {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::encoding::Encoded for $type {
            fn write(&self, out: &mut $crate::encoding::Writer) {
                $($crate::encoding::Encoded::write(&self.$field, out);)+
            }
            fn read(
                input: &mut $crate::encoding::Reader<'_>,
            ) -> Result<Self, $crate::encoding::DecodeError> {
                Ok(Self { $($field: $crate::encoding::Encoded::read(input)?),+ })
            }
        }
    };
}

/// An enum: the number of the choice, then what belongs to it. A number is never used for
/// anything else, also when its choice is gone.
macro_rules! choices {
    ($type:ty, $what:literal { $(
        $tag:literal = $variant:ident
            $( ( $($item:ident),+ ) )?
            $( { $($field:ident),+ } )?
    ),+ $(,)? }) => {
        impl $crate::encoding::Encoded for $type {
            fn write(&self, out: &mut $crate::encoding::Writer) {
                match self { $(
                    Self::$variant $( ( $($item),+ ) )? $( { $($field),+ } )? => {
                        out.byte($tag);
                        $( $( $crate::encoding::Encoded::write($item, out); )+ )?
                        $( $( $crate::encoding::Encoded::write($field, out); )+ )?
                    }
                )+ }
            }
            fn read(
                input: &mut $crate::encoding::Reader<'_>,
            ) -> Result<Self, $crate::encoding::DecodeError> {
                match input.byte()? {
                    $( $tag => {
                        $( $( let $item = $crate::encoding::Encoded::read(input)?; )+ )?
                        $( $( let $field = $crate::encoding::Encoded::read(input)?; )+ )?
                        Ok(Self::$variant $( ( $($item),+ ) )? $( { $($field),+ } )?)
                    } )+
                    tag => Err($crate::encoding::DecodeError::Tag { what: $what, tag }),
                }
            }
        }
    };
}

pub(super) use {choices, fields};
