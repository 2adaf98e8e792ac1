impl serde::Serialize for Action {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if self.term != 0 {
            len += 1;
        }
        if self.action_class != 0 {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.verb.is_empty() {
            len += 1;
        }
        if !self.target.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.created.is_empty() {
            len += 1;
        }
        if !self.deadline.is_empty() {
            len += 1;
        }
        if !self.outcome.is_empty() {
            len += 1;
        }
        if !self.uid.is_empty() {
            len += 1;
        }
        if self.incarnation != 0 {
            len += 1;
        }
        if self.attempts != 0 {
            len += 1;
        }
        if !self.changed.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Action", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if self.term != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("term", ToString::to_string(&self.term).as_str())?;
        }
        if self.action_class != 0 {
            let v = ActionClass::try_from(self.action_class)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.action_class)))?;
            struct_ser.serialize_field("action_class", &v)?;
        }
        if self.state != 0 {
            let v = ActionState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.verb.is_empty() {
            struct_ser.serialize_field("verb", &self.verb)?;
        }
        if !self.target.is_empty() {
            struct_ser.serialize_field("target", &self.target)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.created.is_empty() {
            struct_ser.serialize_field("created", &self.created)?;
        }
        if !self.deadline.is_empty() {
            struct_ser.serialize_field("deadline", &self.deadline)?;
        }
        if !self.outcome.is_empty() {
            struct_ser.serialize_field("outcome", &self.outcome)?;
        }
        if !self.uid.is_empty() {
            struct_ser.serialize_field("uid", &self.uid)?;
        }
        if self.incarnation != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("incarnation", ToString::to_string(&self.incarnation).as_str())?;
        }
        if self.attempts != 0 {
            struct_ser.serialize_field("attempts", &self.attempts)?;
        }
        if !self.changed.is_empty() {
            struct_ser.serialize_field("changed", &self.changed)?;
        }
        if self.age_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("age_ms", ToString::to_string(&self.age_ms).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Action {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "term",
            "action_class",
            "actionClass",
            "state",
            "verb",
            "target",
            "reason",
            "created",
            "deadline",
            "outcome",
            "uid",
            "incarnation",
            "attempts",
            "changed",
            "age_ms",
            "ageMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Term,
            ActionClass,
            State,
            Verb,
            Target,
            Reason,
            Created,
            Deadline,
            Outcome,
            Uid,
            Incarnation,
            Attempts,
            Changed,
            AgeMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "term" => Ok(GeneratedField::Term),
                            "actionClass" | "action_class" => Ok(GeneratedField::ActionClass),
                            "state" => Ok(GeneratedField::State),
                            "verb" => Ok(GeneratedField::Verb),
                            "target" => Ok(GeneratedField::Target),
                            "reason" => Ok(GeneratedField::Reason),
                            "created" => Ok(GeneratedField::Created),
                            "deadline" => Ok(GeneratedField::Deadline),
                            "outcome" => Ok(GeneratedField::Outcome),
                            "uid" => Ok(GeneratedField::Uid),
                            "incarnation" => Ok(GeneratedField::Incarnation),
                            "attempts" => Ok(GeneratedField::Attempts),
                            "changed" => Ok(GeneratedField::Changed),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Action;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Action")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Action, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut term__ = None;
                let mut action_class__ = None;
                let mut state__ = None;
                let mut verb__ = None;
                let mut target__ = None;
                let mut reason__ = None;
                let mut created__ = None;
                let mut deadline__ = None;
                let mut outcome__ = None;
                let mut uid__ = None;
                let mut incarnation__ = None;
                let mut attempts__ = None;
                let mut changed__ = None;
                let mut age_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Term => {
                            if term__.is_some() {
                                return Err(serde::de::Error::duplicate_field("term"));
                            }
                            term__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ActionClass => {
                            if action_class__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actionClass"));
                            }
                            action_class__ = Some(map_.next_value::<ActionClass>()? as i32);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<ActionState>()? as i32);
                        }
                        GeneratedField::Verb => {
                            if verb__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verb"));
                            }
                            verb__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Target => {
                            if target__.is_some() {
                                return Err(serde::de::Error::duplicate_field("target"));
                            }
                            target__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Created => {
                            if created__.is_some() {
                                return Err(serde::de::Error::duplicate_field("created"));
                            }
                            created__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Deadline => {
                            if deadline__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadline"));
                            }
                            deadline__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Outcome => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("outcome"));
                            }
                            outcome__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Uid => {
                            if uid__.is_some() {
                                return Err(serde::de::Error::duplicate_field("uid"));
                            }
                            uid__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Incarnation => {
                            if incarnation__.is_some() {
                                return Err(serde::de::Error::duplicate_field("incarnation"));
                            }
                            incarnation__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Attempts => {
                            if attempts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attempts"));
                            }
                            attempts__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Changed => {
                            if changed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("changed"));
                            }
                            changed__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Action {
                    name: name__.unwrap_or_default(),
                    term: term__.unwrap_or_default(),
                    action_class: action_class__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    verb: verb__.unwrap_or_default(),
                    target: target__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    created: created__.unwrap_or_default(),
                    deadline: deadline__.unwrap_or_default(),
                    outcome: outcome__.unwrap_or_default(),
                    uid: uid__.unwrap_or_default(),
                    incarnation: incarnation__.unwrap_or_default(),
                    attempts: attempts__.unwrap_or_default(),
                    changed: changed__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Action", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ActionClass {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ACTION_CLASS_UNSPECIFIED",
            Self::Annotate => "ACTION_CLASS_ANNOTATE",
            Self::Traffic => "ACTION_CLASS_TRAFFIC",
            Self::Additive => "ACTION_CLASS_ADDITIVE",
            Self::Disruptive => "ACTION_CLASS_DISRUPTIVE",
            Self::Irreversible => "ACTION_CLASS_IRREVERSIBLE",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for ActionClass {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ACTION_CLASS_UNSPECIFIED",
            "ACTION_CLASS_ANNOTATE",
            "ACTION_CLASS_TRAFFIC",
            "ACTION_CLASS_ADDITIVE",
            "ACTION_CLASS_DISRUPTIVE",
            "ACTION_CLASS_IRREVERSIBLE",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = ActionClass;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ACTION_CLASS_UNSPECIFIED" => Ok(ActionClass::Unspecified),
                    "ACTION_CLASS_ANNOTATE" => Ok(ActionClass::Annotate),
                    "ACTION_CLASS_TRAFFIC" => Ok(ActionClass::Traffic),
                    "ACTION_CLASS_ADDITIVE" => Ok(ActionClass::Additive),
                    "ACTION_CLASS_DISRUPTIVE" => Ok(ActionClass::Disruptive),
                    "ACTION_CLASS_IRREVERSIBLE" => Ok(ActionClass::Irreversible),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ActionMode {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ACTION_MODE_UNSPECIFIED",
            Self::Off => "ACTION_MODE_OFF",
            Self::DryRun => "ACTION_MODE_DRY_RUN",
            Self::Act => "ACTION_MODE_ACT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for ActionMode {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ACTION_MODE_UNSPECIFIED",
            "ACTION_MODE_OFF",
            "ACTION_MODE_DRY_RUN",
            "ACTION_MODE_ACT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = ActionMode;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ACTION_MODE_UNSPECIFIED" => Ok(ActionMode::Unspecified),
                    "ACTION_MODE_OFF" => Ok(ActionMode::Off),
                    "ACTION_MODE_DRY_RUN" => Ok(ActionMode::DryRun),
                    "ACTION_MODE_ACT" => Ok(ActionMode::Act),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ActionState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ACTION_STATE_UNSPECIFIED",
            Self::Planned => "ACTION_STATE_PLANNED",
            Self::Issued => "ACTION_STATE_ISSUED",
            Self::Acked => "ACTION_STATE_ACKED",
            Self::Done => "ACTION_STATE_DONE",
            Self::Failed => "ACTION_STATE_FAILED",
            Self::Aborted => "ACTION_STATE_ABORTED",
            Self::Superseded => "ACTION_STATE_SUPERSEDED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for ActionState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ACTION_STATE_UNSPECIFIED",
            "ACTION_STATE_PLANNED",
            "ACTION_STATE_ISSUED",
            "ACTION_STATE_ACKED",
            "ACTION_STATE_DONE",
            "ACTION_STATE_FAILED",
            "ACTION_STATE_ABORTED",
            "ACTION_STATE_SUPERSEDED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = ActionState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ACTION_STATE_UNSPECIFIED" => Ok(ActionState::Unspecified),
                    "ACTION_STATE_PLANNED" => Ok(ActionState::Planned),
                    "ACTION_STATE_ISSUED" => Ok(ActionState::Issued),
                    "ACTION_STATE_ACKED" => Ok(ActionState::Acked),
                    "ACTION_STATE_DONE" => Ok(ActionState::Done),
                    "ACTION_STATE_FAILED" => Ok(ActionState::Failed),
                    "ACTION_STATE_ABORTED" => Ok(ActionState::Aborted),
                    "ACTION_STATE_SUPERSEDED" => Ok(ActionState::Superseded),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ApplyPolicyRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.policy.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ApplyPolicyRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.policy.is_empty() {
            struct_ser.serialize_field("policy", &self.policy)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ApplyPolicyRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "policy",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Policy,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "policy" => Ok(GeneratedField::Policy),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ApplyPolicyRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ApplyPolicyRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ApplyPolicyRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut policy__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Policy => {
                            if policy__.is_some() {
                                return Err(serde::de::Error::duplicate_field("policy"));
                            }
                            policy__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ApplyPolicyRequest {
                    order: order__,
                    policy: policy__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ApplyPolicyRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ApproveRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.action.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ApproveRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.action.is_empty() {
            struct_ser.serialize_field("action", &self.action)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ApproveRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "action",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Action,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "action" => Ok(GeneratedField::Action),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ApproveRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ApproveRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ApproveRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut action__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Action => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("action"));
                            }
                            action__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ApproveRequest {
                    order: order__,
                    action: action__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ApproveRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Change {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.entry.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Change", len)?;
        if let Some(v) = self.entry.as_ref() {
            match v {
                change::Entry::Zone(v) => {
                    struct_ser.serialize_field("zone", v)?;
                }
                change::Entry::Node(v) => {
                    struct_ser.serialize_field("node", v)?;
                }
                change::Entry::Gpu(v) => {
                    struct_ser.serialize_field("gpu", v)?;
                }
                change::Entry::Engine(v) => {
                    struct_ser.serialize_field("engine", v)?;
                }
                change::Entry::Pool(v) => {
                    struct_ser.serialize_field("pool", v)?;
                }
                change::Entry::Event(v) => {
                    struct_ser.serialize_field("event", v)?;
                }
                change::Entry::Removed(v) => {
                    struct_ser.serialize_field("removed", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Change {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "zone",
            "node",
            "gpu",
            "engine",
            "pool",
            "event",
            "removed",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Zone,
            Node,
            Gpu,
            Engine,
            Pool,
            Event,
            Removed,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "zone" => Ok(GeneratedField::Zone),
                            "node" => Ok(GeneratedField::Node),
                            "gpu" => Ok(GeneratedField::Gpu),
                            "engine" => Ok(GeneratedField::Engine),
                            "pool" => Ok(GeneratedField::Pool),
                            "event" => Ok(GeneratedField::Event),
                            "removed" => Ok(GeneratedField::Removed),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Change;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Change")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Change, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut entry__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Zone => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Zone)
;
                        }
                        GeneratedField::Node => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Node)
;
                        }
                        GeneratedField::Gpu => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpu"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Gpu)
;
                        }
                        GeneratedField::Engine => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engine"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Engine)
;
                        }
                        GeneratedField::Pool => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pool"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Pool)
;
                        }
                        GeneratedField::Event => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("event"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Event)
;
                        }
                        GeneratedField::Removed => {
                            if entry__.is_some() {
                                return Err(serde::de::Error::duplicate_field("removed"));
                            }
                            entry__ = map_.next_value::<::std::option::Option<_>>()?.map(change::Entry::Removed)
;
                        }
                    }
                }
                Ok(Change {
                    entry: entry__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Change", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ControlResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.actions.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ControlResponse", len)?;
        if !self.actions.is_empty() {
            struct_ser.serialize_field("actions", &self.actions)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ControlResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "actions",
            "message",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Actions,
            Message,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "actions" => Ok(GeneratedField::Actions),
                            "message" => Ok(GeneratedField::Message),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ControlResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ControlResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ControlResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut actions__ = None;
                let mut message__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Actions => {
                            if actions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actions"));
                            }
                            actions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ControlResponse {
                    actions: actions__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ControlResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Counts {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.nodes != 0 {
            len += 1;
        }
        if self.nodes_fresh != 0 {
            len += 1;
        }
        if self.gpus != 0 {
            len += 1;
        }
        if self.gpus_ok != 0 {
            len += 1;
        }
        if self.engines != 0 {
            len += 1;
        }
        if self.engines_serving != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Counts", len)?;
        if self.nodes != 0 {
            struct_ser.serialize_field("nodes", &self.nodes)?;
        }
        if self.nodes_fresh != 0 {
            struct_ser.serialize_field("nodes_fresh", &self.nodes_fresh)?;
        }
        if self.gpus != 0 {
            struct_ser.serialize_field("gpus", &self.gpus)?;
        }
        if self.gpus_ok != 0 {
            struct_ser.serialize_field("gpus_ok", &self.gpus_ok)?;
        }
        if self.engines != 0 {
            struct_ser.serialize_field("engines", &self.engines)?;
        }
        if self.engines_serving != 0 {
            struct_ser.serialize_field("engines_serving", &self.engines_serving)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Counts {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "nodes",
            "nodes_fresh",
            "nodesFresh",
            "gpus",
            "gpus_ok",
            "gpusOk",
            "engines",
            "engines_serving",
            "enginesServing",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Nodes,
            NodesFresh,
            Gpus,
            GpusOk,
            Engines,
            EnginesServing,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "nodes" => Ok(GeneratedField::Nodes),
                            "nodesFresh" | "nodes_fresh" => Ok(GeneratedField::NodesFresh),
                            "gpus" => Ok(GeneratedField::Gpus),
                            "gpusOk" | "gpus_ok" => Ok(GeneratedField::GpusOk),
                            "engines" => Ok(GeneratedField::Engines),
                            "enginesServing" | "engines_serving" => Ok(GeneratedField::EnginesServing),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Counts;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Counts")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Counts, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut nodes__ = None;
                let mut nodes_fresh__ = None;
                let mut gpus__ = None;
                let mut gpus_ok__ = None;
                let mut engines__ = None;
                let mut engines_serving__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Nodes => {
                            if nodes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nodes"));
                            }
                            nodes__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::NodesFresh => {
                            if nodes_fresh__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nodesFresh"));
                            }
                            nodes_fresh__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Gpus => {
                            if gpus__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpus"));
                            }
                            gpus__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::GpusOk => {
                            if gpus_ok__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpusOk"));
                            }
                            gpus_ok__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Engines => {
                            if engines__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engines"));
                            }
                            engines__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EnginesServing => {
                            if engines_serving__.is_some() {
                                return Err(serde::de::Error::duplicate_field("enginesServing"));
                            }
                            engines_serving__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Counts {
                    nodes: nodes__.unwrap_or_default(),
                    nodes_fresh: nodes_fresh__.unwrap_or_default(),
                    gpus: gpus__.unwrap_or_default(),
                    gpus_ok: gpus_ok__.unwrap_or_default(),
                    engines: engines__.unwrap_or_default(),
                    engines_serving: engines_serving__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Counts", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Decision {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.time.is_empty() {
            len += 1;
        }
        if !self.pool.is_empty() {
            len += 1;
        }
        if !self.policy.is_empty() {
            len += 1;
        }
        if self.current != 0 {
            len += 1;
        }
        if self.desired != 0 {
            len += 1;
        }
        if !self.reasons.is_empty() {
            len += 1;
        }
        if !self.vetoes.is_empty() {
            len += 1;
        }
        if !self.about.is_empty() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if !self.node.is_empty() {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.verdict_reason.is_empty() {
            len += 1;
        }
        if !self.seen.is_empty() {
            len += 1;
        }
        if !self.wishes.is_empty() {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.outcome.is_empty() {
            len += 1;
        }
        if !self.changed.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if self.term != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Decision", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.time.is_empty() {
            struct_ser.serialize_field("time", &self.time)?;
        }
        if !self.pool.is_empty() {
            struct_ser.serialize_field("pool", &self.pool)?;
        }
        if !self.policy.is_empty() {
            struct_ser.serialize_field("policy", &self.policy)?;
        }
        if self.current != 0 {
            struct_ser.serialize_field("current", &self.current)?;
        }
        if self.desired != 0 {
            struct_ser.serialize_field("desired", &self.desired)?;
        }
        if !self.reasons.is_empty() {
            struct_ser.serialize_field("reasons", &self.reasons)?;
        }
        if !self.vetoes.is_empty() {
            struct_ser.serialize_field("vetoes", &self.vetoes)?;
        }
        if !self.about.is_empty() {
            struct_ser.serialize_field("about", &self.about)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if !self.node.is_empty() {
            struct_ser.serialize_field("node", &self.node)?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.verdict_reason.is_empty() {
            struct_ser.serialize_field("verdict_reason", &self.verdict_reason)?;
        }
        if !self.seen.is_empty() {
            struct_ser.serialize_field("seen", &self.seen)?;
        }
        if !self.wishes.is_empty() {
            struct_ser.serialize_field("wishes", &self.wishes)?;
        }
        if self.state != 0 {
            let v = DecisionState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.outcome.is_empty() {
            struct_ser.serialize_field("outcome", &self.outcome)?;
        }
        if !self.changed.is_empty() {
            struct_ser.serialize_field("changed", &self.changed)?;
        }
        if self.age_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("age_ms", ToString::to_string(&self.age_ms).as_str())?;
        }
        if self.term != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("term", ToString::to_string(&self.term).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Decision {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "time",
            "pool",
            "policy",
            "current",
            "desired",
            "reasons",
            "vetoes",
            "about",
            "zone",
            "node",
            "verdict",
            "verdict_reason",
            "verdictReason",
            "seen",
            "wishes",
            "state",
            "outcome",
            "changed",
            "age_ms",
            "ageMs",
            "term",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Time,
            Pool,
            Policy,
            Current,
            Desired,
            Reasons,
            Vetoes,
            About,
            Zone,
            Node,
            Verdict,
            VerdictReason,
            Seen,
            Wishes,
            State,
            Outcome,
            Changed,
            AgeMs,
            Term,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "time" => Ok(GeneratedField::Time),
                            "pool" => Ok(GeneratedField::Pool),
                            "policy" => Ok(GeneratedField::Policy),
                            "current" => Ok(GeneratedField::Current),
                            "desired" => Ok(GeneratedField::Desired),
                            "reasons" => Ok(GeneratedField::Reasons),
                            "vetoes" => Ok(GeneratedField::Vetoes),
                            "about" => Ok(GeneratedField::About),
                            "zone" => Ok(GeneratedField::Zone),
                            "node" => Ok(GeneratedField::Node),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "verdictReason" | "verdict_reason" => Ok(GeneratedField::VerdictReason),
                            "seen" => Ok(GeneratedField::Seen),
                            "wishes" => Ok(GeneratedField::Wishes),
                            "state" => Ok(GeneratedField::State),
                            "outcome" => Ok(GeneratedField::Outcome),
                            "changed" => Ok(GeneratedField::Changed),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "term" => Ok(GeneratedField::Term),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Decision;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Decision")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Decision, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut time__ = None;
                let mut pool__ = None;
                let mut policy__ = None;
                let mut current__ = None;
                let mut desired__ = None;
                let mut reasons__ = None;
                let mut vetoes__ = None;
                let mut about__ = None;
                let mut zone__ = None;
                let mut node__ = None;
                let mut verdict__ = None;
                let mut verdict_reason__ = None;
                let mut seen__ = None;
                let mut wishes__ = None;
                let mut state__ = None;
                let mut outcome__ = None;
                let mut changed__ = None;
                let mut age_ms__ = None;
                let mut term__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Time => {
                            if time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("time"));
                            }
                            time__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pool => {
                            if pool__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pool"));
                            }
                            pool__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Policy => {
                            if policy__.is_some() {
                                return Err(serde::de::Error::duplicate_field("policy"));
                            }
                            policy__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Current => {
                            if current__.is_some() {
                                return Err(serde::de::Error::duplicate_field("current"));
                            }
                            current__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Desired => {
                            if desired__.is_some() {
                                return Err(serde::de::Error::duplicate_field("desired"));
                            }
                            desired__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Reasons => {
                            if reasons__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reasons"));
                            }
                            reasons__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Vetoes => {
                            if vetoes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("vetoes"));
                            }
                            vetoes__ = Some(map_.next_value()?);
                        }
                        GeneratedField::About => {
                            if about__.is_some() {
                                return Err(serde::de::Error::duplicate_field("about"));
                            }
                            about__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Node => {
                            if node__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            node__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::VerdictReason => {
                            if verdict_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdictReason"));
                            }
                            verdict_reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Seen => {
                            if seen__.is_some() {
                                return Err(serde::de::Error::duplicate_field("seen"));
                            }
                            seen__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Wishes => {
                            if wishes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("wishes"));
                            }
                            wishes__ = Some(map_.next_value()?);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<DecisionState>()? as i32);
                        }
                        GeneratedField::Outcome => {
                            if outcome__.is_some() {
                                return Err(serde::de::Error::duplicate_field("outcome"));
                            }
                            outcome__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Changed => {
                            if changed__.is_some() {
                                return Err(serde::de::Error::duplicate_field("changed"));
                            }
                            changed__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Term => {
                            if term__.is_some() {
                                return Err(serde::de::Error::duplicate_field("term"));
                            }
                            term__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Decision {
                    name: name__.unwrap_or_default(),
                    time: time__.unwrap_or_default(),
                    pool: pool__.unwrap_or_default(),
                    policy: policy__.unwrap_or_default(),
                    current: current__.unwrap_or_default(),
                    desired: desired__.unwrap_or_default(),
                    reasons: reasons__.unwrap_or_default(),
                    vetoes: vetoes__.unwrap_or_default(),
                    about: about__.unwrap_or_default(),
                    zone: zone__.unwrap_or_default(),
                    node: node__.unwrap_or_default(),
                    verdict: verdict__.unwrap_or_default(),
                    verdict_reason: verdict_reason__.unwrap_or_default(),
                    seen: seen__.unwrap_or_default(),
                    wishes: wishes__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    outcome: outcome__.unwrap_or_default(),
                    changed: changed__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    term: term__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Decision", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for DecisionState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "DECISION_STATE_UNSPECIFIED",
            Self::Open => "DECISION_STATE_OPEN",
            Self::Ending => "DECISION_STATE_ENDING",
            Self::Ended => "DECISION_STATE_ENDED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for DecisionState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "DECISION_STATE_UNSPECIFIED",
            "DECISION_STATE_OPEN",
            "DECISION_STATE_ENDING",
            "DECISION_STATE_ENDED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = DecisionState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "DECISION_STATE_UNSPECIFIED" => Ok(DecisionState::Unspecified),
                    "DECISION_STATE_OPEN" => Ok(DecisionState::Open),
                    "DECISION_STATE_ENDING" => Ok(DecisionState::Ending),
                    "DECISION_STATE_ENDED" => Ok(DecisionState::Ended),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for DrainRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.target.is_empty() {
            len += 1;
        }
        if self.deadline_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.DrainRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.target.is_empty() {
            struct_ser.serialize_field("target", &self.target)?;
        }
        if self.deadline_ms != 0 {
            struct_ser.serialize_field("deadline_ms", &self.deadline_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for DrainRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "target",
            "deadline_ms",
            "deadlineMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Target,
            DeadlineMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "target" => Ok(GeneratedField::Target),
                            "deadlineMs" | "deadline_ms" => Ok(GeneratedField::DeadlineMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = DrainRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.DrainRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<DrainRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut target__ = None;
                let mut deadline_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Target => {
                            if target__.is_some() {
                                return Err(serde::de::Error::duplicate_field("target"));
                            }
                            target__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DeadlineMs => {
                            if deadline_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("deadlineMs"));
                            }
                            deadline_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(DrainRequest {
                    order: order__,
                    target: target__.unwrap_or_default(),
                    deadline_ms: deadline_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.DrainRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Engine {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.node.is_empty() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if !self.pool.is_empty() {
            len += 1;
        }
        if !self.model.is_empty() {
            len += 1;
        }
        if self.kind != 0 {
            len += 1;
        }
        if !self.url.is_empty() {
            len += 1;
        }
        if !self.pod.is_empty() {
            len += 1;
        }
        if !self.namespace.is_empty() {
            len += 1;
        }
        if !self.gpu_uuids.is_empty() {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.state_reason.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if self.freshness != 0 {
            len += 1;
        }
        if self.requests_running.is_some() {
            len += 1;
        }
        if self.requests_waiting.is_some() {
            len += 1;
        }
        if self.kv_cache_usage.is_some() {
            len += 1;
        }
        if self.ttft_p95_seconds.is_some() {
            len += 1;
        }
        if self.itl_p95_seconds.is_some() {
            len += 1;
        }
        if self.generation_tokens_per_second.is_some() {
            len += 1;
        }
        if self.prompt_tokens_per_second.is_some() {
            len += 1;
        }
        if !self.readings.is_empty() {
            len += 1;
        }
        if self.revision != 0 {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.verdict_reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Engine", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.node.is_empty() {
            struct_ser.serialize_field("node", &self.node)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if !self.pool.is_empty() {
            struct_ser.serialize_field("pool", &self.pool)?;
        }
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if self.kind != 0 {
            let v = EngineKind::try_from(self.kind)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.kind)))?;
            struct_ser.serialize_field("kind", &v)?;
        }
        if !self.url.is_empty() {
            struct_ser.serialize_field("url", &self.url)?;
        }
        if !self.pod.is_empty() {
            struct_ser.serialize_field("pod", &self.pod)?;
        }
        if !self.namespace.is_empty() {
            struct_ser.serialize_field("namespace", &self.namespace)?;
        }
        if !self.gpu_uuids.is_empty() {
            struct_ser.serialize_field("gpu_uuids", &self.gpu_uuids)?;
        }
        if self.state != 0 {
            let v = EngineState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.state_reason.is_empty() {
            struct_ser.serialize_field("state_reason", &self.state_reason)?;
        }
        if self.age_ms != 0 {
            struct_ser.serialize_field("age_ms", &self.age_ms)?;
        }
        if self.freshness != 0 {
            let v = Freshness::try_from(self.freshness)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.freshness)))?;
            struct_ser.serialize_field("freshness", &v)?;
        }
        if let Some(v) = self.requests_running.as_ref() {
            struct_ser.serialize_field("requests_running", v)?;
        }
        if let Some(v) = self.requests_waiting.as_ref() {
            struct_ser.serialize_field("requests_waiting", v)?;
        }
        if let Some(v) = self.kv_cache_usage.as_ref() {
            struct_ser.serialize_field("kv_cache_usage", v)?;
        }
        if let Some(v) = self.ttft_p95_seconds.as_ref() {
            struct_ser.serialize_field("ttft_p95_seconds", v)?;
        }
        if let Some(v) = self.itl_p95_seconds.as_ref() {
            struct_ser.serialize_field("itl_p95_seconds", v)?;
        }
        if let Some(v) = self.generation_tokens_per_second.as_ref() {
            struct_ser.serialize_field("generation_tokens_per_second", v)?;
        }
        if let Some(v) = self.prompt_tokens_per_second.as_ref() {
            struct_ser.serialize_field("prompt_tokens_per_second", v)?;
        }
        if !self.readings.is_empty() {
            struct_ser.serialize_field("readings", &self.readings)?;
        }
        if self.revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("revision", ToString::to_string(&self.revision).as_str())?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.verdict_reason.is_empty() {
            struct_ser.serialize_field("verdict_reason", &self.verdict_reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Engine {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "node",
            "zone",
            "pool",
            "model",
            "kind",
            "url",
            "pod",
            "namespace",
            "gpu_uuids",
            "gpuUuids",
            "state",
            "state_reason",
            "stateReason",
            "age_ms",
            "ageMs",
            "freshness",
            "requests_running",
            "requestsRunning",
            "requests_waiting",
            "requestsWaiting",
            "kv_cache_usage",
            "kvCacheUsage",
            "ttft_p95_seconds",
            "ttftP95Seconds",
            "itl_p95_seconds",
            "itlP95Seconds",
            "generation_tokens_per_second",
            "generationTokensPerSecond",
            "prompt_tokens_per_second",
            "promptTokensPerSecond",
            "readings",
            "revision",
            "verdict",
            "verdict_reason",
            "verdictReason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Node,
            Zone,
            Pool,
            Model,
            Kind,
            Url,
            Pod,
            Namespace,
            GpuUuids,
            State,
            StateReason,
            AgeMs,
            Freshness,
            RequestsRunning,
            RequestsWaiting,
            KvCacheUsage,
            TtftP95Seconds,
            ItlP95Seconds,
            GenerationTokensPerSecond,
            PromptTokensPerSecond,
            Readings,
            Revision,
            Verdict,
            VerdictReason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "node" => Ok(GeneratedField::Node),
                            "zone" => Ok(GeneratedField::Zone),
                            "pool" => Ok(GeneratedField::Pool),
                            "model" => Ok(GeneratedField::Model),
                            "kind" => Ok(GeneratedField::Kind),
                            "url" => Ok(GeneratedField::Url),
                            "pod" => Ok(GeneratedField::Pod),
                            "namespace" => Ok(GeneratedField::Namespace),
                            "gpuUuids" | "gpu_uuids" => Ok(GeneratedField::GpuUuids),
                            "state" => Ok(GeneratedField::State),
                            "stateReason" | "state_reason" => Ok(GeneratedField::StateReason),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "freshness" => Ok(GeneratedField::Freshness),
                            "requestsRunning" | "requests_running" => Ok(GeneratedField::RequestsRunning),
                            "requestsWaiting" | "requests_waiting" => Ok(GeneratedField::RequestsWaiting),
                            "kvCacheUsage" | "kv_cache_usage" => Ok(GeneratedField::KvCacheUsage),
                            "ttftP95Seconds" | "ttft_p95_seconds" => Ok(GeneratedField::TtftP95Seconds),
                            "itlP95Seconds" | "itl_p95_seconds" => Ok(GeneratedField::ItlP95Seconds),
                            "generationTokensPerSecond" | "generation_tokens_per_second" => Ok(GeneratedField::GenerationTokensPerSecond),
                            "promptTokensPerSecond" | "prompt_tokens_per_second" => Ok(GeneratedField::PromptTokensPerSecond),
                            "readings" => Ok(GeneratedField::Readings),
                            "revision" => Ok(GeneratedField::Revision),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "verdictReason" | "verdict_reason" => Ok(GeneratedField::VerdictReason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Engine;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Engine")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Engine, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut node__ = None;
                let mut zone__ = None;
                let mut pool__ = None;
                let mut model__ = None;
                let mut kind__ = None;
                let mut url__ = None;
                let mut pod__ = None;
                let mut namespace__ = None;
                let mut gpu_uuids__ = None;
                let mut state__ = None;
                let mut state_reason__ = None;
                let mut age_ms__ = None;
                let mut freshness__ = None;
                let mut requests_running__ = None;
                let mut requests_waiting__ = None;
                let mut kv_cache_usage__ = None;
                let mut ttft_p95_seconds__ = None;
                let mut itl_p95_seconds__ = None;
                let mut generation_tokens_per_second__ = None;
                let mut prompt_tokens_per_second__ = None;
                let mut readings__ = None;
                let mut revision__ = None;
                let mut verdict__ = None;
                let mut verdict_reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Node => {
                            if node__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            node__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pool => {
                            if pool__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pool"));
                            }
                            pool__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<EngineKind>()? as i32);
                        }
                        GeneratedField::Url => {
                            if url__.is_some() {
                                return Err(serde::de::Error::duplicate_field("url"));
                            }
                            url__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pod => {
                            if pod__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pod"));
                            }
                            pod__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Namespace => {
                            if namespace__.is_some() {
                                return Err(serde::de::Error::duplicate_field("namespace"));
                            }
                            namespace__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GpuUuids => {
                            if gpu_uuids__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuUuids"));
                            }
                            gpu_uuids__ = Some(map_.next_value()?);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<EngineState>()? as i32);
                        }
                        GeneratedField::StateReason => {
                            if state_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stateReason"));
                            }
                            state_reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Freshness => {
                            if freshness__.is_some() {
                                return Err(serde::de::Error::duplicate_field("freshness"));
                            }
                            freshness__ = Some(map_.next_value::<Freshness>()? as i32);
                        }
                        GeneratedField::RequestsRunning => {
                            if requests_running__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsRunning"));
                            }
                            requests_running__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RequestsWaiting => {
                            if requests_waiting__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsWaiting"));
                            }
                            requests_waiting__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::KvCacheUsage => {
                            if kv_cache_usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kvCacheUsage"));
                            }
                            kv_cache_usage__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::TtftP95Seconds => {
                            if ttft_p95_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ttftP95Seconds"));
                            }
                            ttft_p95_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::ItlP95Seconds => {
                            if itl_p95_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("itlP95Seconds"));
                            }
                            itl_p95_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GenerationTokensPerSecond => {
                            if generation_tokens_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("generationTokensPerSecond"));
                            }
                            generation_tokens_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::PromptTokensPerSecond => {
                            if prompt_tokens_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("promptTokensPerSecond"));
                            }
                            prompt_tokens_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Readings => {
                            if readings__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readings"));
                            }
                            readings__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::VerdictReason => {
                            if verdict_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdictReason"));
                            }
                            verdict_reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Engine {
                    name: name__.unwrap_or_default(),
                    node: node__.unwrap_or_default(),
                    zone: zone__.unwrap_or_default(),
                    pool: pool__.unwrap_or_default(),
                    model: model__.unwrap_or_default(),
                    kind: kind__.unwrap_or_default(),
                    url: url__.unwrap_or_default(),
                    pod: pod__.unwrap_or_default(),
                    namespace: namespace__.unwrap_or_default(),
                    gpu_uuids: gpu_uuids__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    state_reason: state_reason__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    freshness: freshness__.unwrap_or_default(),
                    requests_running: requests_running__,
                    requests_waiting: requests_waiting__,
                    kv_cache_usage: kv_cache_usage__,
                    ttft_p95_seconds: ttft_p95_seconds__,
                    itl_p95_seconds: itl_p95_seconds__,
                    generation_tokens_per_second: generation_tokens_per_second__,
                    prompt_tokens_per_second: prompt_tokens_per_second__,
                    readings: readings__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    verdict: verdict__.unwrap_or_default(),
                    verdict_reason: verdict_reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Engine", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for EngineKind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ENGINE_KIND_UNSPECIFIED",
            Self::Vllm => "ENGINE_KIND_VLLM",
            Self::Sglang => "ENGINE_KIND_SGLANG",
            Self::Tgi => "ENGINE_KIND_TGI",
            Self::Triton => "ENGINE_KIND_TRITON",
            Self::Trtllm => "ENGINE_KIND_TRTLLM",
            Self::Llamacpp => "ENGINE_KIND_LLAMACPP",
            Self::Lmdeploy => "ENGINE_KIND_LMDEPLOY",
            Self::Generic => "ENGINE_KIND_GENERIC",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for EngineKind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ENGINE_KIND_UNSPECIFIED",
            "ENGINE_KIND_VLLM",
            "ENGINE_KIND_SGLANG",
            "ENGINE_KIND_TGI",
            "ENGINE_KIND_TRITON",
            "ENGINE_KIND_TRTLLM",
            "ENGINE_KIND_LLAMACPP",
            "ENGINE_KIND_LMDEPLOY",
            "ENGINE_KIND_GENERIC",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = EngineKind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ENGINE_KIND_UNSPECIFIED" => Ok(EngineKind::Unspecified),
                    "ENGINE_KIND_VLLM" => Ok(EngineKind::Vllm),
                    "ENGINE_KIND_SGLANG" => Ok(EngineKind::Sglang),
                    "ENGINE_KIND_TGI" => Ok(EngineKind::Tgi),
                    "ENGINE_KIND_TRITON" => Ok(EngineKind::Triton),
                    "ENGINE_KIND_TRTLLM" => Ok(EngineKind::Trtllm),
                    "ENGINE_KIND_LLAMACPP" => Ok(EngineKind::Llamacpp),
                    "ENGINE_KIND_LMDEPLOY" => Ok(EngineKind::Lmdeploy),
                    "ENGINE_KIND_GENERIC" => Ok(EngineKind::Generic),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for EngineState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "ENGINE_STATE_UNSPECIFIED",
            Self::Serving => "ENGINE_STATE_SERVING",
            Self::Loading => "ENGINE_STATE_LOADING",
            Self::Down => "ENGINE_STATE_DOWN",
            Self::Timeout => "ENGINE_STATE_TIMEOUT",
            Self::Unreadable => "ENGINE_STATE_UNREADABLE",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for EngineState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "ENGINE_STATE_UNSPECIFIED",
            "ENGINE_STATE_SERVING",
            "ENGINE_STATE_LOADING",
            "ENGINE_STATE_DOWN",
            "ENGINE_STATE_TIMEOUT",
            "ENGINE_STATE_UNREADABLE",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = EngineState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "ENGINE_STATE_UNSPECIFIED" => Ok(EngineState::Unspecified),
                    "ENGINE_STATE_SERVING" => Ok(EngineState::Serving),
                    "ENGINE_STATE_LOADING" => Ok(EngineState::Loading),
                    "ENGINE_STATE_DOWN" => Ok(EngineState::Down),
                    "ENGINE_STATE_TIMEOUT" => Ok(EngineState::Timeout),
                    "ENGINE_STATE_UNREADABLE" => Ok(EngineState::Unreadable),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Event {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.time.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if !self.kind.is_empty() {
            len += 1;
        }
        if self.severity != 0 {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if !self.node.is_empty() {
            len += 1;
        }
        if !self.gpu.is_empty() {
            len += 1;
        }
        if !self.engine.is_empty() {
            len += 1;
        }
        if !self.message.is_empty() {
            len += 1;
        }
        if !self.attributes.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Event", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.time.is_empty() {
            struct_ser.serialize_field("time", &self.time)?;
        }
        if self.age_ms != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("age_ms", ToString::to_string(&self.age_ms).as_str())?;
        }
        if !self.kind.is_empty() {
            struct_ser.serialize_field("kind", &self.kind)?;
        }
        if self.severity != 0 {
            let v = Severity::try_from(self.severity)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.severity)))?;
            struct_ser.serialize_field("severity", &v)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if !self.node.is_empty() {
            struct_ser.serialize_field("node", &self.node)?;
        }
        if !self.gpu.is_empty() {
            struct_ser.serialize_field("gpu", &self.gpu)?;
        }
        if !self.engine.is_empty() {
            struct_ser.serialize_field("engine", &self.engine)?;
        }
        if !self.message.is_empty() {
            struct_ser.serialize_field("message", &self.message)?;
        }
        if !self.attributes.is_empty() {
            struct_ser.serialize_field("attributes", &self.attributes)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Event {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "time",
            "age_ms",
            "ageMs",
            "kind",
            "severity",
            "zone",
            "node",
            "gpu",
            "engine",
            "message",
            "attributes",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Time,
            AgeMs,
            Kind,
            Severity,
            Zone,
            Node,
            Gpu,
            Engine,
            Message,
            Attributes,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "time" => Ok(GeneratedField::Time),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "kind" => Ok(GeneratedField::Kind),
                            "severity" => Ok(GeneratedField::Severity),
                            "zone" => Ok(GeneratedField::Zone),
                            "node" => Ok(GeneratedField::Node),
                            "gpu" => Ok(GeneratedField::Gpu),
                            "engine" => Ok(GeneratedField::Engine),
                            "message" => Ok(GeneratedField::Message),
                            "attributes" => Ok(GeneratedField::Attributes),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Event;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Event")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Event, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut time__ = None;
                let mut age_ms__ = None;
                let mut kind__ = None;
                let mut severity__ = None;
                let mut zone__ = None;
                let mut node__ = None;
                let mut gpu__ = None;
                let mut engine__ = None;
                let mut message__ = None;
                let mut attributes__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Time => {
                            if time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("time"));
                            }
                            time__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Severity => {
                            if severity__.is_some() {
                                return Err(serde::de::Error::duplicate_field("severity"));
                            }
                            severity__ = Some(map_.next_value::<Severity>()? as i32);
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Node => {
                            if node__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            node__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Gpu => {
                            if gpu__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpu"));
                            }
                            gpu__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Engine => {
                            if engine__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engine"));
                            }
                            engine__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Message => {
                            if message__.is_some() {
                                return Err(serde::de::Error::duplicate_field("message"));
                            }
                            message__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Attributes => {
                            if attributes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("attributes"));
                            }
                            attributes__ = Some(
                                map_.next_value::<std::collections::BTreeMap<_, _>>()?
                            );
                        }
                    }
                }
                Ok(Event {
                    name: name__.unwrap_or_default(),
                    time: time__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    kind: kind__.unwrap_or_default(),
                    severity: severity__.unwrap_or_default(),
                    zone: zone__.unwrap_or_default(),
                    node: node__.unwrap_or_default(),
                    gpu: gpu__.unwrap_or_default(),
                    engine: engine__.unwrap_or_default(),
                    message: message__.unwrap_or_default(),
                    attributes: attributes__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Event", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ExplainRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.decision.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ExplainRequest", len)?;
        if !self.decision.is_empty() {
            struct_ser.serialize_field("decision", &self.decision)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ExplainRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "decision",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Decision,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "decision" => Ok(GeneratedField::Decision),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ExplainRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ExplainRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ExplainRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut decision__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Decision => {
                            if decision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("decision"));
                            }
                            decision__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ExplainRequest {
                    decision: decision__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ExplainRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Explanation {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.decision.is_some() {
            len += 1;
        }
        if !self.text.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Explanation", len)?;
        if let Some(v) = self.decision.as_ref() {
            struct_ser.serialize_field("decision", v)?;
        }
        if !self.text.is_empty() {
            struct_ser.serialize_field("text", &self.text)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Explanation {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "decision",
            "text",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Decision,
            Text,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "decision" => Ok(GeneratedField::Decision),
                            "text" => Ok(GeneratedField::Text),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Explanation;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Explanation")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Explanation, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut decision__ = None;
                let mut text__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Decision => {
                            if decision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("decision"));
                            }
                            decision__ = map_.next_value()?;
                        }
                        GeneratedField::Text => {
                            if text__.is_some() {
                                return Err(serde::de::Error::duplicate_field("text"));
                            }
                            text__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Explanation {
                    decision: decision__,
                    text: text__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Explanation", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FailbackRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.FailbackRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FailbackRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "zone",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Zone,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "zone" => Ok(GeneratedField::Zone),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FailbackRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.FailbackRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FailbackRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut zone__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(FailbackRequest {
                    order: order__,
                    zone: zone__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.FailbackRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FailoverRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if self.fraction != 0. {
            len += 1;
        }
        if self.expires_in_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.FailoverRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if self.fraction != 0. {
            struct_ser.serialize_field("fraction", &self.fraction)?;
        }
        if self.expires_in_ms != 0 {
            struct_ser.serialize_field("expires_in_ms", &self.expires_in_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FailoverRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "zone",
            "fraction",
            "expires_in_ms",
            "expiresInMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Zone,
            Fraction,
            ExpiresInMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "zone" => Ok(GeneratedField::Zone),
                            "fraction" => Ok(GeneratedField::Fraction),
                            "expiresInMs" | "expires_in_ms" => Ok(GeneratedField::ExpiresInMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FailoverRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.FailoverRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FailoverRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut zone__ = None;
                let mut fraction__ = None;
                let mut expires_in_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Fraction => {
                            if fraction__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fraction"));
                            }
                            fraction__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ExpiresInMs => {
                            if expires_in_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expiresInMs"));
                            }
                            expires_in_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(FailoverRequest {
                    order: order__,
                    zone: zone__.unwrap_or_default(),
                    fraction: fraction__.unwrap_or_default(),
                    expires_in_ms: expires_in_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.FailoverRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for FleetSummary {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.replica.is_empty() {
            len += 1;
        }
        if !self.leader.is_empty() {
            len += 1;
        }
        if self.term != 0 {
            len += 1;
        }
        if self.revision != 0 {
            len += 1;
        }
        if !self.zones.is_empty() {
            len += 1;
        }
        if !self.pools.is_empty() {
            len += 1;
        }
        if self.counts.is_some() {
            len += 1;
        }
        if !self.version.is_empty() {
            len += 1;
        }
        if self.simulated {
            len += 1;
        }
        if self.uptime_s != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.FleetSummary", len)?;
        if !self.replica.is_empty() {
            struct_ser.serialize_field("replica", &self.replica)?;
        }
        if !self.leader.is_empty() {
            struct_ser.serialize_field("leader", &self.leader)?;
        }
        if self.term != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("term", ToString::to_string(&self.term).as_str())?;
        }
        if self.revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("revision", ToString::to_string(&self.revision).as_str())?;
        }
        if !self.zones.is_empty() {
            struct_ser.serialize_field("zones", &self.zones)?;
        }
        if !self.pools.is_empty() {
            struct_ser.serialize_field("pools", &self.pools)?;
        }
        if let Some(v) = self.counts.as_ref() {
            struct_ser.serialize_field("counts", v)?;
        }
        if !self.version.is_empty() {
            struct_ser.serialize_field("version", &self.version)?;
        }
        if self.simulated {
            struct_ser.serialize_field("simulated", &self.simulated)?;
        }
        if self.uptime_s != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("uptime_s", ToString::to_string(&self.uptime_s).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for FleetSummary {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "replica",
            "leader",
            "term",
            "revision",
            "zones",
            "pools",
            "counts",
            "version",
            "simulated",
            "uptime_s",
            "uptimeS",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Replica,
            Leader,
            Term,
            Revision,
            Zones,
            Pools,
            Counts,
            Version,
            Simulated,
            UptimeS,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "replica" => Ok(GeneratedField::Replica),
                            "leader" => Ok(GeneratedField::Leader),
                            "term" => Ok(GeneratedField::Term),
                            "revision" => Ok(GeneratedField::Revision),
                            "zones" => Ok(GeneratedField::Zones),
                            "pools" => Ok(GeneratedField::Pools),
                            "counts" => Ok(GeneratedField::Counts),
                            "version" => Ok(GeneratedField::Version),
                            "simulated" => Ok(GeneratedField::Simulated),
                            "uptimeS" | "uptime_s" => Ok(GeneratedField::UptimeS),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = FleetSummary;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.FleetSummary")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<FleetSummary, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut replica__ = None;
                let mut leader__ = None;
                let mut term__ = None;
                let mut revision__ = None;
                let mut zones__ = None;
                let mut pools__ = None;
                let mut counts__ = None;
                let mut version__ = None;
                let mut simulated__ = None;
                let mut uptime_s__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Replica => {
                            if replica__.is_some() {
                                return Err(serde::de::Error::duplicate_field("replica"));
                            }
                            replica__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Leader => {
                            if leader__.is_some() {
                                return Err(serde::de::Error::duplicate_field("leader"));
                            }
                            leader__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Term => {
                            if term__.is_some() {
                                return Err(serde::de::Error::duplicate_field("term"));
                            }
                            term__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Zones => {
                            if zones__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zones"));
                            }
                            zones__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Pools => {
                            if pools__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pools"));
                            }
                            pools__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Counts => {
                            if counts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("counts"));
                            }
                            counts__ = map_.next_value()?;
                        }
                        GeneratedField::Version => {
                            if version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("version"));
                            }
                            version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Simulated => {
                            if simulated__.is_some() {
                                return Err(serde::de::Error::duplicate_field("simulated"));
                            }
                            simulated__ = Some(map_.next_value()?);
                        }
                        GeneratedField::UptimeS => {
                            if uptime_s__.is_some() {
                                return Err(serde::de::Error::duplicate_field("uptimeS"));
                            }
                            uptime_s__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(FleetSummary {
                    replica: replica__.unwrap_or_default(),
                    leader: leader__.unwrap_or_default(),
                    term: term__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    zones: zones__.unwrap_or_default(),
                    pools: pools__.unwrap_or_default(),
                    counts: counts__,
                    version: version__.unwrap_or_default(),
                    simulated: simulated__.unwrap_or_default(),
                    uptime_s: uptime_s__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.FleetSummary", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Freshness {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "FRESHNESS_UNSPECIFIED",
            Self::Fresh => "FRESHNESS_FRESH",
            Self::Stale => "FRESHNESS_STALE",
            Self::Missing => "FRESHNESS_MISSING",
            Self::Reset => "FRESHNESS_RESET",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Freshness {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "FRESHNESS_UNSPECIFIED",
            "FRESHNESS_FRESH",
            "FRESHNESS_STALE",
            "FRESHNESS_MISSING",
            "FRESHNESS_RESET",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Freshness;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "FRESHNESS_UNSPECIFIED" => Ok(Freshness::Unspecified),
                    "FRESHNESS_FRESH" => Ok(Freshness::Fresh),
                    "FRESHNESS_STALE" => Ok(Freshness::Stale),
                    "FRESHNESS_MISSING" => Ok(Freshness::Missing),
                    "FRESHNESS_RESET" => Ok(Freshness::Reset),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for GetFleetRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let len = 0;
        let struct_ser = serializer.serialize_struct("ostler.v1.GetFleetRequest", len)?;
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetFleetRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                            Err(serde::de::Error::unknown_field(value, FIELDS))
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetFleetRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.GetFleetRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetFleetRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                while map_.next_key::<GeneratedField>()?.is_some() {
                    let _ = map_.next_value::<serde::de::IgnoredAny>()?;
                }
                Ok(GetFleetRequest {
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.GetFleetRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetReachRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.replica.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.GetReachRequest", len)?;
        if !self.replica.is_empty() {
            struct_ser.serialize_field("replica", &self.replica)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetReachRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "replica",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Replica,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "replica" => Ok(GeneratedField::Replica),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetReachRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.GetReachRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetReachRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut replica__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Replica => {
                            if replica__.is_some() {
                                return Err(serde::de::Error::duplicate_field("replica"));
                            }
                            replica__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(GetReachRequest {
                    replica: replica__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.GetReachRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GetRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if self.field_mask.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.GetRequest", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if let Some(v) = self.field_mask.as_ref() {
            struct_ser.serialize_field("field_mask", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for GetRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "field_mask",
            "fieldMask",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            FieldMask,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "fieldMask" | "field_mask" => Ok(GeneratedField::FieldMask),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = GetRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.GetRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<GetRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut field_mask__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::FieldMask => {
                            if field_mask__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fieldMask"));
                            }
                            field_mask__ = map_.next_value()?;
                        }
                    }
                }
                Ok(GetRequest {
                    name: name__.unwrap_or_default(),
                    field_mask: field_mask__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.GetRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Gpu {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.node.is_empty() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if self.index != 0 {
            len += 1;
        }
        if !self.model.is_empty() {
            len += 1;
        }
        if !self.pci_bus_id.is_empty() {
            len += 1;
        }
        if !self.serial.is_empty() {
            len += 1;
        }
        if !self.driver_version.is_empty() {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.state_reason.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if self.freshness != 0 {
            len += 1;
        }
        if self.utilization_percent.is_some() {
            len += 1;
        }
        if self.memory_used_bytes.is_some() {
            len += 1;
        }
        if self.memory_total_bytes.is_some() {
            len += 1;
        }
        if self.temperature_celsius.is_some() {
            len += 1;
        }
        if self.power_watts.is_some() {
            len += 1;
        }
        if self.sm_clock_megahertz.is_some() {
            len += 1;
        }
        if self.xid_errors_total.is_some() {
            len += 1;
        }
        if self.recovery_action.is_some() {
            len += 1;
        }
        if !self.mig_instances.is_empty() {
            len += 1;
        }
        if !self.readings.is_empty() {
            len += 1;
        }
        if self.revision != 0 {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.verdict_reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Gpu", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.node.is_empty() {
            struct_ser.serialize_field("node", &self.node)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if self.index != 0 {
            struct_ser.serialize_field("index", &self.index)?;
        }
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if !self.pci_bus_id.is_empty() {
            struct_ser.serialize_field("pci_bus_id", &self.pci_bus_id)?;
        }
        if !self.serial.is_empty() {
            struct_ser.serialize_field("serial", &self.serial)?;
        }
        if !self.driver_version.is_empty() {
            struct_ser.serialize_field("driver_version", &self.driver_version)?;
        }
        if self.state != 0 {
            let v = GpuState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.state_reason.is_empty() {
            struct_ser.serialize_field("state_reason", &self.state_reason)?;
        }
        if self.age_ms != 0 {
            struct_ser.serialize_field("age_ms", &self.age_ms)?;
        }
        if self.freshness != 0 {
            let v = Freshness::try_from(self.freshness)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.freshness)))?;
            struct_ser.serialize_field("freshness", &v)?;
        }
        if let Some(v) = self.utilization_percent.as_ref() {
            struct_ser.serialize_field("utilization_percent", v)?;
        }
        if let Some(v) = self.memory_used_bytes.as_ref() {
            struct_ser.serialize_field("memory_used_bytes", v)?;
        }
        if let Some(v) = self.memory_total_bytes.as_ref() {
            struct_ser.serialize_field("memory_total_bytes", v)?;
        }
        if let Some(v) = self.temperature_celsius.as_ref() {
            struct_ser.serialize_field("temperature_celsius", v)?;
        }
        if let Some(v) = self.power_watts.as_ref() {
            struct_ser.serialize_field("power_watts", v)?;
        }
        if let Some(v) = self.sm_clock_megahertz.as_ref() {
            struct_ser.serialize_field("sm_clock_megahertz", v)?;
        }
        if let Some(v) = self.xid_errors_total.as_ref() {
            struct_ser.serialize_field("xid_errors_total", v)?;
        }
        if let Some(v) = self.recovery_action.as_ref() {
            struct_ser.serialize_field("recovery_action", v)?;
        }
        if !self.mig_instances.is_empty() {
            struct_ser.serialize_field("mig_instances", &self.mig_instances)?;
        }
        if !self.readings.is_empty() {
            struct_ser.serialize_field("readings", &self.readings)?;
        }
        if self.revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("revision", ToString::to_string(&self.revision).as_str())?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.verdict_reason.is_empty() {
            struct_ser.serialize_field("verdict_reason", &self.verdict_reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Gpu {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "node",
            "zone",
            "index",
            "model",
            "pci_bus_id",
            "pciBusId",
            "serial",
            "driver_version",
            "driverVersion",
            "state",
            "state_reason",
            "stateReason",
            "age_ms",
            "ageMs",
            "freshness",
            "utilization_percent",
            "utilizationPercent",
            "memory_used_bytes",
            "memoryUsedBytes",
            "memory_total_bytes",
            "memoryTotalBytes",
            "temperature_celsius",
            "temperatureCelsius",
            "power_watts",
            "powerWatts",
            "sm_clock_megahertz",
            "smClockMegahertz",
            "xid_errors_total",
            "xidErrorsTotal",
            "recovery_action",
            "recoveryAction",
            "mig_instances",
            "migInstances",
            "readings",
            "revision",
            "verdict",
            "verdict_reason",
            "verdictReason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Node,
            Zone,
            Index,
            Model,
            PciBusId,
            Serial,
            DriverVersion,
            State,
            StateReason,
            AgeMs,
            Freshness,
            UtilizationPercent,
            MemoryUsedBytes,
            MemoryTotalBytes,
            TemperatureCelsius,
            PowerWatts,
            SmClockMegahertz,
            XidErrorsTotal,
            RecoveryAction,
            MigInstances,
            Readings,
            Revision,
            Verdict,
            VerdictReason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "node" => Ok(GeneratedField::Node),
                            "zone" => Ok(GeneratedField::Zone),
                            "index" => Ok(GeneratedField::Index),
                            "model" => Ok(GeneratedField::Model),
                            "pciBusId" | "pci_bus_id" => Ok(GeneratedField::PciBusId),
                            "serial" => Ok(GeneratedField::Serial),
                            "driverVersion" | "driver_version" => Ok(GeneratedField::DriverVersion),
                            "state" => Ok(GeneratedField::State),
                            "stateReason" | "state_reason" => Ok(GeneratedField::StateReason),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "freshness" => Ok(GeneratedField::Freshness),
                            "utilizationPercent" | "utilization_percent" => Ok(GeneratedField::UtilizationPercent),
                            "memoryUsedBytes" | "memory_used_bytes" => Ok(GeneratedField::MemoryUsedBytes),
                            "memoryTotalBytes" | "memory_total_bytes" => Ok(GeneratedField::MemoryTotalBytes),
                            "temperatureCelsius" | "temperature_celsius" => Ok(GeneratedField::TemperatureCelsius),
                            "powerWatts" | "power_watts" => Ok(GeneratedField::PowerWatts),
                            "smClockMegahertz" | "sm_clock_megahertz" => Ok(GeneratedField::SmClockMegahertz),
                            "xidErrorsTotal" | "xid_errors_total" => Ok(GeneratedField::XidErrorsTotal),
                            "recoveryAction" | "recovery_action" => Ok(GeneratedField::RecoveryAction),
                            "migInstances" | "mig_instances" => Ok(GeneratedField::MigInstances),
                            "readings" => Ok(GeneratedField::Readings),
                            "revision" => Ok(GeneratedField::Revision),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "verdictReason" | "verdict_reason" => Ok(GeneratedField::VerdictReason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Gpu;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Gpu")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Gpu, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut node__ = None;
                let mut zone__ = None;
                let mut index__ = None;
                let mut model__ = None;
                let mut pci_bus_id__ = None;
                let mut serial__ = None;
                let mut driver_version__ = None;
                let mut state__ = None;
                let mut state_reason__ = None;
                let mut age_ms__ = None;
                let mut freshness__ = None;
                let mut utilization_percent__ = None;
                let mut memory_used_bytes__ = None;
                let mut memory_total_bytes__ = None;
                let mut temperature_celsius__ = None;
                let mut power_watts__ = None;
                let mut sm_clock_megahertz__ = None;
                let mut xid_errors_total__ = None;
                let mut recovery_action__ = None;
                let mut mig_instances__ = None;
                let mut readings__ = None;
                let mut revision__ = None;
                let mut verdict__ = None;
                let mut verdict_reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Node => {
                            if node__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            node__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Index => {
                            if index__.is_some() {
                                return Err(serde::de::Error::duplicate_field("index"));
                            }
                            index__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::PciBusId => {
                            if pci_bus_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pciBusId"));
                            }
                            pci_bus_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Serial => {
                            if serial__.is_some() {
                                return Err(serde::de::Error::duplicate_field("serial"));
                            }
                            serial__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DriverVersion => {
                            if driver_version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("driverVersion"));
                            }
                            driver_version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<GpuState>()? as i32);
                        }
                        GeneratedField::StateReason => {
                            if state_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stateReason"));
                            }
                            state_reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Freshness => {
                            if freshness__.is_some() {
                                return Err(serde::de::Error::duplicate_field("freshness"));
                            }
                            freshness__ = Some(map_.next_value::<Freshness>()? as i32);
                        }
                        GeneratedField::UtilizationPercent => {
                            if utilization_percent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("utilizationPercent"));
                            }
                            utilization_percent__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::MemoryUsedBytes => {
                            if memory_used_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("memoryUsedBytes"));
                            }
                            memory_used_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::MemoryTotalBytes => {
                            if memory_total_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("memoryTotalBytes"));
                            }
                            memory_total_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::TemperatureCelsius => {
                            if temperature_celsius__.is_some() {
                                return Err(serde::de::Error::duplicate_field("temperatureCelsius"));
                            }
                            temperature_celsius__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::PowerWatts => {
                            if power_watts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("powerWatts"));
                            }
                            power_watts__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::SmClockMegahertz => {
                            if sm_clock_megahertz__.is_some() {
                                return Err(serde::de::Error::duplicate_field("smClockMegahertz"));
                            }
                            sm_clock_megahertz__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::XidErrorsTotal => {
                            if xid_errors_total__.is_some() {
                                return Err(serde::de::Error::duplicate_field("xidErrorsTotal"));
                            }
                            xid_errors_total__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RecoveryAction => {
                            if recovery_action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("recoveryAction"));
                            }
                            recovery_action__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::MigInstances => {
                            if mig_instances__.is_some() {
                                return Err(serde::de::Error::duplicate_field("migInstances"));
                            }
                            mig_instances__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Readings => {
                            if readings__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readings"));
                            }
                            readings__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::VerdictReason => {
                            if verdict_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdictReason"));
                            }
                            verdict_reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Gpu {
                    name: name__.unwrap_or_default(),
                    node: node__.unwrap_or_default(),
                    zone: zone__.unwrap_or_default(),
                    index: index__.unwrap_or_default(),
                    model: model__.unwrap_or_default(),
                    pci_bus_id: pci_bus_id__.unwrap_or_default(),
                    serial: serial__.unwrap_or_default(),
                    driver_version: driver_version__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    state_reason: state_reason__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    freshness: freshness__.unwrap_or_default(),
                    utilization_percent: utilization_percent__,
                    memory_used_bytes: memory_used_bytes__,
                    memory_total_bytes: memory_total_bytes__,
                    temperature_celsius: temperature_celsius__,
                    power_watts: power_watts__,
                    sm_clock_megahertz: sm_clock_megahertz__,
                    xid_errors_total: xid_errors_total__,
                    recovery_action: recovery_action__,
                    mig_instances: mig_instances__.unwrap_or_default(),
                    readings: readings__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    verdict: verdict__.unwrap_or_default(),
                    verdict_reason: verdict_reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Gpu", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for GpuState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "GPU_STATE_UNSPECIFIED",
            Self::Ok => "GPU_STATE_OK",
            Self::Degraded => "GPU_STATE_DEGRADED",
            Self::Lost => "GPU_STATE_LOST",
            Self::Hung => "GPU_STATE_HUNG",
            Self::Unreadable => "GPU_STATE_UNREADABLE",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for GpuState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "GPU_STATE_UNSPECIFIED",
            "GPU_STATE_OK",
            "GPU_STATE_DEGRADED",
            "GPU_STATE_LOST",
            "GPU_STATE_HUNG",
            "GPU_STATE_UNREADABLE",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = GpuState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "GPU_STATE_UNSPECIFIED" => Ok(GpuState::Unspecified),
                    "GPU_STATE_OK" => Ok(GpuState::Ok),
                    "GPU_STATE_DEGRADED" => Ok(GpuState::Degraded),
                    "GPU_STATE_LOST" => Ok(GpuState::Lost),
                    "GPU_STATE_HUNG" => Ok(GpuState::Hung),
                    "GPU_STATE_UNREADABLE" => Ok(GpuState::Unreadable),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Hold {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.kind.is_empty() {
            len += 1;
        }
        if !self.scope.is_empty() {
            len += 1;
        }
        if !self.operator.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.since.is_empty() {
            len += 1;
        }
        if !self.until.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Hold", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.kind.is_empty() {
            struct_ser.serialize_field("kind", &self.kind)?;
        }
        if !self.scope.is_empty() {
            struct_ser.serialize_field("scope", &self.scope)?;
        }
        if !self.operator.is_empty() {
            struct_ser.serialize_field("operator", &self.operator)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.since.is_empty() {
            struct_ser.serialize_field("since", &self.since)?;
        }
        if !self.until.is_empty() {
            struct_ser.serialize_field("until", &self.until)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Hold {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "kind",
            "scope",
            "operator",
            "reason",
            "since",
            "until",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Kind,
            Scope,
            Operator,
            Reason,
            Since,
            Until,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "kind" => Ok(GeneratedField::Kind),
                            "scope" => Ok(GeneratedField::Scope),
                            "operator" => Ok(GeneratedField::Operator),
                            "reason" => Ok(GeneratedField::Reason),
                            "since" => Ok(GeneratedField::Since),
                            "until" => Ok(GeneratedField::Until),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Hold;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Hold")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Hold, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut kind__ = None;
                let mut scope__ = None;
                let mut operator__ = None;
                let mut reason__ = None;
                let mut since__ = None;
                let mut until__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Scope => {
                            if scope__.is_some() {
                                return Err(serde::de::Error::duplicate_field("scope"));
                            }
                            scope__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Operator => {
                            if operator__.is_some() {
                                return Err(serde::de::Error::duplicate_field("operator"));
                            }
                            operator__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Since => {
                            if since__.is_some() {
                                return Err(serde::de::Error::duplicate_field("since"));
                            }
                            since__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Until => {
                            if until__.is_some() {
                                return Err(serde::de::Error::duplicate_field("until"));
                            }
                            until__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Hold {
                    name: name__.unwrap_or_default(),
                    kind: kind__.unwrap_or_default(),
                    scope: scope__.unwrap_or_default(),
                    operator: operator__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    since: since__.unwrap_or_default(),
                    until: until__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Hold", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for HoldRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.scope.is_empty() {
            len += 1;
        }
        if self.expires_in_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.HoldRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.scope.is_empty() {
            struct_ser.serialize_field("scope", &self.scope)?;
        }
        if self.expires_in_ms != 0 {
            struct_ser.serialize_field("expires_in_ms", &self.expires_in_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for HoldRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "scope",
            "expires_in_ms",
            "expiresInMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Scope,
            ExpiresInMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "scope" => Ok(GeneratedField::Scope),
                            "expiresInMs" | "expires_in_ms" => Ok(GeneratedField::ExpiresInMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = HoldRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.HoldRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<HoldRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut scope__ = None;
                let mut expires_in_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Scope => {
                            if scope__.is_some() {
                                return Err(serde::de::Error::duplicate_field("scope"));
                            }
                            scope__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ExpiresInMs => {
                            if expires_in_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("expiresInMs"));
                            }
                            expires_in_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(HoldRequest {
                    order: order__,
                    scope: scope__.unwrap_or_default(),
                    expires_in_ms: expires_in_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.HoldRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Kind {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "KIND_UNSPECIFIED",
            Self::Zone => "KIND_ZONE",
            Self::Node => "KIND_NODE",
            Self::Gpu => "KIND_GPU",
            Self::Engine => "KIND_ENGINE",
            Self::Pool => "KIND_POOL",
            Self::Event => "KIND_EVENT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Kind {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "KIND_UNSPECIFIED",
            "KIND_ZONE",
            "KIND_NODE",
            "KIND_GPU",
            "KIND_ENGINE",
            "KIND_POOL",
            "KIND_EVENT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Kind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "KIND_UNSPECIFIED" => Ok(Kind::Unspecified),
                    "KIND_ZONE" => Ok(Kind::Zone),
                    "KIND_NODE" => Ok(Kind::Node),
                    "KIND_GPU" => Ok(Kind::Gpu),
                    "KIND_ENGINE" => Ok(Kind::Engine),
                    "KIND_POOL" => Ok(Kind::Pool),
                    "KIND_EVENT" => Ok(Kind::Event),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for ListActionsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.actions.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListActionsResponse", len)?;
        if !self.actions.is_empty() {
            struct_ser.serialize_field("actions", &self.actions)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListActionsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "actions",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Actions,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "actions" => Ok(GeneratedField::Actions),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListActionsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListActionsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListActionsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut actions__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Actions => {
                            if actions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actions"));
                            }
                            actions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListActionsResponse {
                    actions: actions__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListActionsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListDecisionsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.decisions.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListDecisionsResponse", len)?;
        if !self.decisions.is_empty() {
            struct_ser.serialize_field("decisions", &self.decisions)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListDecisionsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "decisions",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Decisions,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "decisions" => Ok(GeneratedField::Decisions),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListDecisionsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListDecisionsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListDecisionsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut decisions__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Decisions => {
                            if decisions__.is_some() {
                                return Err(serde::de::Error::duplicate_field("decisions"));
                            }
                            decisions__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListDecisionsResponse {
                    decisions: decisions__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListDecisionsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListEnginesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.engines.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListEnginesResponse", len)?;
        if !self.engines.is_empty() {
            struct_ser.serialize_field("engines", &self.engines)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListEnginesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "engines",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Engines,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "engines" => Ok(GeneratedField::Engines),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListEnginesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListEnginesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListEnginesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut engines__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Engines => {
                            if engines__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engines"));
                            }
                            engines__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListEnginesResponse {
                    engines: engines__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListEnginesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListEventsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.events.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListEventsResponse", len)?;
        if !self.events.is_empty() {
            struct_ser.serialize_field("events", &self.events)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListEventsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "events",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Events,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "events" => Ok(GeneratedField::Events),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListEventsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListEventsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListEventsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut events__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Events => {
                            if events__.is_some() {
                                return Err(serde::de::Error::duplicate_field("events"));
                            }
                            events__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListEventsResponse {
                    events: events__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListEventsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListGpusResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.gpus.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListGpusResponse", len)?;
        if !self.gpus.is_empty() {
            struct_ser.serialize_field("gpus", &self.gpus)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListGpusResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "gpus",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Gpus,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "gpus" => Ok(GeneratedField::Gpus),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListGpusResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListGpusResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListGpusResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut gpus__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Gpus => {
                            if gpus__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpus"));
                            }
                            gpus__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListGpusResponse {
                    gpus: gpus__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListGpusResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListHoldsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.holds.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListHoldsResponse", len)?;
        if !self.holds.is_empty() {
            struct_ser.serialize_field("holds", &self.holds)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListHoldsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "holds",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Holds,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "holds" => Ok(GeneratedField::Holds),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListHoldsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListHoldsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListHoldsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut holds__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Holds => {
                            if holds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("holds"));
                            }
                            holds__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListHoldsResponse {
                    holds: holds__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListHoldsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListNodesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.nodes.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListNodesResponse", len)?;
        if !self.nodes.is_empty() {
            struct_ser.serialize_field("nodes", &self.nodes)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListNodesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "nodes",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Nodes,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "nodes" => Ok(GeneratedField::Nodes),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListNodesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListNodesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListNodesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut nodes__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Nodes => {
                            if nodes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nodes"));
                            }
                            nodes__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListNodesResponse {
                    nodes: nodes__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListNodesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListPoolsResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.pools.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListPoolsResponse", len)?;
        if !self.pools.is_empty() {
            struct_ser.serialize_field("pools", &self.pools)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListPoolsResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "pools",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Pools,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pools" => Ok(GeneratedField::Pools),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListPoolsResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListPoolsResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListPoolsResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut pools__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Pools => {
                            if pools__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pools"));
                            }
                            pools__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListPoolsResponse {
                    pools: pools__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListPoolsResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.page_size != 0 {
            len += 1;
        }
        if !self.page_token.is_empty() {
            len += 1;
        }
        if !self.filter.is_empty() {
            len += 1;
        }
        if self.field_mask.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListRequest", len)?;
        if self.page_size != 0 {
            struct_ser.serialize_field("page_size", &self.page_size)?;
        }
        if !self.page_token.is_empty() {
            struct_ser.serialize_field("page_token", &self.page_token)?;
        }
        if !self.filter.is_empty() {
            struct_ser.serialize_field("filter", &self.filter)?;
        }
        if let Some(v) = self.field_mask.as_ref() {
            struct_ser.serialize_field("field_mask", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "page_size",
            "pageSize",
            "page_token",
            "pageToken",
            "filter",
            "field_mask",
            "fieldMask",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            PageSize,
            PageToken,
            Filter,
            FieldMask,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "pageSize" | "page_size" => Ok(GeneratedField::PageSize),
                            "pageToken" | "page_token" => Ok(GeneratedField::PageToken),
                            "filter" => Ok(GeneratedField::Filter),
                            "fieldMask" | "field_mask" => Ok(GeneratedField::FieldMask),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut page_size__ = None;
                let mut page_token__ = None;
                let mut filter__ = None;
                let mut field_mask__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::PageSize => {
                            if page_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pageSize"));
                            }
                            page_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::PageToken => {
                            if page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pageToken"));
                            }
                            page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::FieldMask => {
                            if field_mask__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fieldMask"));
                            }
                            field_mask__ = map_.next_value()?;
                        }
                    }
                }
                Ok(ListRequest {
                    page_size: page_size__.unwrap_or_default(),
                    page_token: page_token__.unwrap_or_default(),
                    filter: filter__.unwrap_or_default(),
                    field_mask: field_mask__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ListZonesResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.zones.is_empty() {
            len += 1;
        }
        if !self.next_page_token.is_empty() {
            len += 1;
        }
        if self.total_size != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ListZonesResponse", len)?;
        if !self.zones.is_empty() {
            struct_ser.serialize_field("zones", &self.zones)?;
        }
        if !self.next_page_token.is_empty() {
            struct_ser.serialize_field("next_page_token", &self.next_page_token)?;
        }
        if self.total_size != 0 {
            struct_ser.serialize_field("total_size", &self.total_size)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ListZonesResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "zones",
            "next_page_token",
            "nextPageToken",
            "total_size",
            "totalSize",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Zones,
            NextPageToken,
            TotalSize,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "zones" => Ok(GeneratedField::Zones),
                            "nextPageToken" | "next_page_token" => Ok(GeneratedField::NextPageToken),
                            "totalSize" | "total_size" => Ok(GeneratedField::TotalSize),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ListZonesResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ListZonesResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ListZonesResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut zones__ = None;
                let mut next_page_token__ = None;
                let mut total_size__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Zones => {
                            if zones__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zones"));
                            }
                            zones__ = Some(map_.next_value()?);
                        }
                        GeneratedField::NextPageToken => {
                            if next_page_token__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nextPageToken"));
                            }
                            next_page_token__ = Some(map_.next_value()?);
                        }
                        GeneratedField::TotalSize => {
                            if total_size__.is_some() {
                                return Err(serde::de::Error::duplicate_field("totalSize"));
                            }
                            total_size__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ListZonesResponse {
                    zones: zones__.unwrap_or_default(),
                    next_page_token: next_page_token__.unwrap_or_default(),
                    total_size: total_size__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ListZonesResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Metric {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "METRIC_UNSPECIFIED",
            Self::GpuUtilizationPercent => "METRIC_GPU_UTILIZATION_PERCENT",
            Self::GpuMemoryUtilizationPercent => "METRIC_GPU_MEMORY_UTILIZATION_PERCENT",
            Self::GpuMemoryUsedBytes => "METRIC_GPU_MEMORY_USED_BYTES",
            Self::GpuMemoryTotalBytes => "METRIC_GPU_MEMORY_TOTAL_BYTES",
            Self::GpuMemoryReservedBytes => "METRIC_GPU_MEMORY_RESERVED_BYTES",
            Self::GpuTemperatureCelsius => "METRIC_GPU_TEMPERATURE_CELSIUS",
            Self::GpuMemoryTemperatureCelsius => "METRIC_GPU_MEMORY_TEMPERATURE_CELSIUS",
            Self::GpuTemperatureMarginCelsius => "METRIC_GPU_TEMPERATURE_MARGIN_CELSIUS",
            Self::GpuTemperatureSlowdownCelsius => "METRIC_GPU_TEMPERATURE_SLOWDOWN_CELSIUS",
            Self::GpuTemperatureShutdownCelsius => "METRIC_GPU_TEMPERATURE_SHUTDOWN_CELSIUS",
            Self::GpuPowerMilliwatts => "METRIC_GPU_POWER_MILLIWATTS",
            Self::GpuPowerLimitMilliwatts => "METRIC_GPU_POWER_LIMIT_MILLIWATTS",
            Self::GpuEnergyMillijoulesTotal => "METRIC_GPU_ENERGY_MILLIJOULES_TOTAL",
            Self::GpuSmClockMegahertz => "METRIC_GPU_SM_CLOCK_MEGAHERTZ",
            Self::GpuMemoryClockMegahertz => "METRIC_GPU_MEMORY_CLOCK_MEGAHERTZ",
            Self::GpuSmClockMaxMegahertz => "METRIC_GPU_SM_CLOCK_MAX_MEGAHERTZ",
            Self::GpuMemoryClockMaxMegahertz => "METRIC_GPU_MEMORY_CLOCK_MAX_MEGAHERTZ",
            Self::GpuThrottleReasons => "METRIC_GPU_THROTTLE_REASONS",
            Self::GpuEccCorrectedVolatileTotal => "METRIC_GPU_ECC_CORRECTED_VOLATILE_TOTAL",
            Self::GpuEccUncorrectedVolatileTotal => "METRIC_GPU_ECC_UNCORRECTED_VOLATILE_TOTAL",
            Self::GpuEccCorrectedAggregateTotal => "METRIC_GPU_ECC_CORRECTED_AGGREGATE_TOTAL",
            Self::GpuEccUncorrectedAggregateTotal => "METRIC_GPU_ECC_UNCORRECTED_AGGREGATE_TOTAL",
            Self::GpuRowsRemappedCorrectable => "METRIC_GPU_ROWS_REMAPPED_CORRECTABLE",
            Self::GpuRowsRemappedUncorrectable => "METRIC_GPU_ROWS_REMAPPED_UNCORRECTABLE",
            Self::GpuRowRemapPending => "METRIC_GPU_ROW_REMAP_PENDING",
            Self::GpuRowRemapFailed => "METRIC_GPU_ROW_REMAP_FAILED",
            Self::GpuPagesRetiredSingleBit => "METRIC_GPU_PAGES_RETIRED_SINGLE_BIT",
            Self::GpuPagesRetiredDoubleBit => "METRIC_GPU_PAGES_RETIRED_DOUBLE_BIT",
            Self::GpuPagesRetiredPending => "METRIC_GPU_PAGES_RETIRED_PENDING",
            Self::GpuPcieLinkGeneration => "METRIC_GPU_PCIE_LINK_GENERATION",
            Self::GpuPcieLinkWidth => "METRIC_GPU_PCIE_LINK_WIDTH",
            Self::GpuPcieLinkGenerationMax => "METRIC_GPU_PCIE_LINK_GENERATION_MAX",
            Self::GpuPcieLinkWidthMax => "METRIC_GPU_PCIE_LINK_WIDTH_MAX",
            Self::GpuPcieReplayTotal => "METRIC_GPU_PCIE_REPLAY_TOTAL",
            Self::GpuPcieTxKibibytesPerSecond => "METRIC_GPU_PCIE_TX_KIBIBYTES_PER_SECOND",
            Self::GpuPcieRxKibibytesPerSecond => "METRIC_GPU_PCIE_RX_KIBIBYTES_PER_SECOND",
            Self::GpuNvlinkActiveLinks => "METRIC_GPU_NVLINK_ACTIVE_LINKS",
            Self::GpuNvlinkErrorsTotal => "METRIC_GPU_NVLINK_ERRORS_TOTAL",
            Self::GpuNvlinkTxKibibytesTotal => "METRIC_GPU_NVLINK_TX_KIBIBYTES_TOTAL",
            Self::GpuNvlinkRxKibibytesTotal => "METRIC_GPU_NVLINK_RX_KIBIBYTES_TOTAL",
            Self::GpuRecoveryAction => "METRIC_GPU_RECOVERY_ACTION",
            Self::GpuMigEnabled => "METRIC_GPU_MIG_ENABLED",
            Self::GpuMigInstances => "METRIC_GPU_MIG_INSTANCES",
            Self::GpuProcesses => "METRIC_GPU_PROCESSES",
            Self::GpuProcessMemoryUsedBytes => "METRIC_GPU_PROCESS_MEMORY_USED_BYTES",
            Self::GpuXidErrorsTotal => "METRIC_GPU_XID_ERRORS_TOTAL",
            Self::GpuFabricState => "METRIC_GPU_FABRIC_STATE",
            Self::GpuSramEccThresholdExceeded => "METRIC_GPU_SRAM_ECC_THRESHOLD_EXCEEDED",
            Self::GpuNvmlCallMicrosecondsMax => "METRIC_GPU_NVML_CALL_MICROSECONDS_MAX",
            Self::EngineUp => "METRIC_ENGINE_UP",
            Self::EngineRequestsRunning => "METRIC_ENGINE_REQUESTS_RUNNING",
            Self::EngineRequestsWaiting => "METRIC_ENGINE_REQUESTS_WAITING",
            Self::EngineKvCacheUsagePpm => "METRIC_ENGINE_KV_CACHE_USAGE_PPM",
            Self::EngineKvCacheCapacityTokens => "METRIC_ENGINE_KV_CACHE_CAPACITY_TOKENS",
            Self::EngineTtftP50Microseconds => "METRIC_ENGINE_TTFT_P50_MICROSECONDS",
            Self::EngineTtftP95Microseconds => "METRIC_ENGINE_TTFT_P95_MICROSECONDS",
            Self::EngineTtftP99Microseconds => "METRIC_ENGINE_TTFT_P99_MICROSECONDS",
            Self::EngineItlP50Microseconds => "METRIC_ENGINE_ITL_P50_MICROSECONDS",
            Self::EngineItlP95Microseconds => "METRIC_ENGINE_ITL_P95_MICROSECONDS",
            Self::EngineItlP99Microseconds => "METRIC_ENGINE_ITL_P99_MICROSECONDS",
            Self::EngineE2eP50Microseconds => "METRIC_ENGINE_E2E_P50_MICROSECONDS",
            Self::EngineE2eP95Microseconds => "METRIC_ENGINE_E2E_P95_MICROSECONDS",
            Self::EngineE2eP99Microseconds => "METRIC_ENGINE_E2E_P99_MICROSECONDS",
            Self::EngineQueueTimeP50Microseconds => "METRIC_ENGINE_QUEUE_TIME_P50_MICROSECONDS",
            Self::EngineQueueTimeP95Microseconds => "METRIC_ENGINE_QUEUE_TIME_P95_MICROSECONDS",
            Self::EngineQueueTimeP99Microseconds => "METRIC_ENGINE_QUEUE_TIME_P99_MICROSECONDS",
            Self::EnginePromptTokensMilliPerSecond => "METRIC_ENGINE_PROMPT_TOKENS_MILLI_PER_SECOND",
            Self::EngineGenerationTokensMilliPerSecond => "METRIC_ENGINE_GENERATION_TOKENS_MILLI_PER_SECOND",
            Self::EngineRequestsMilliPerSecond => "METRIC_ENGINE_REQUESTS_MILLI_PER_SECOND",
            Self::EngineErrorsMilliPerSecond => "METRIC_ENGINE_ERRORS_MILLI_PER_SECOND",
            Self::EnginePreemptionsMilliPerSecond => "METRIC_ENGINE_PREEMPTIONS_MILLI_PER_SECOND",
            Self::EnginePrefixCacheHitPpm => "METRIC_ENGINE_PREFIX_CACHE_HIT_PPM",
            Self::EnginePromptTokensTotal => "METRIC_ENGINE_PROMPT_TOKENS_TOTAL",
            Self::EngineGenerationTokensTotal => "METRIC_ENGINE_GENERATION_TOKENS_TOTAL",
            Self::EngineRequestsTotal => "METRIC_ENGINE_REQUESTS_TOTAL",
            Self::EngineErrorsTotal => "METRIC_ENGINE_ERRORS_TOTAL",
            Self::EngineCounterResetsTotal => "METRIC_ENGINE_COUNTER_RESETS_TOTAL",
            Self::EngineScrapeMicroseconds => "METRIC_ENGINE_SCRAPE_MICROSECONDS",
            Self::EngineScrapeLinesRejected => "METRIC_ENGINE_SCRAPE_LINES_REJECTED",
            Self::HostCpuUsedPpm => "METRIC_HOST_CPU_USED_PPM",
            Self::HostMemoryUsedBytes => "METRIC_HOST_MEMORY_USED_BYTES",
            Self::HostMemoryTotalBytes => "METRIC_HOST_MEMORY_TOTAL_BYTES",
            Self::HostDiskUsedBytes => "METRIC_HOST_DISK_USED_BYTES",
            Self::HostDiskTotalBytes => "METRIC_HOST_DISK_TOTAL_BYTES",
            Self::HostNetworkRxBytesPerSecond => "METRIC_HOST_NETWORK_RX_BYTES_PER_SECOND",
            Self::HostNetworkTxBytesPerSecond => "METRIC_HOST_NETWORK_TX_BYTES_PER_SECOND",
            Self::HostDiskReadBytesPerSecond => "METRIC_HOST_DISK_READ_BYTES_PER_SECOND",
            Self::HostDiskWriteBytesPerSecond => "METRIC_HOST_DISK_WRITE_BYTES_PER_SECOND",
            Self::HostLoad1mMilli => "METRIC_HOST_LOAD_1M_MILLI",
            Self::HostPressureCpuSomePpm => "METRIC_HOST_PRESSURE_CPU_SOME_PPM",
            Self::HostPressureMemorySomePpm => "METRIC_HOST_PRESSURE_MEMORY_SOME_PPM",
            Self::HostPressureIoSomePpm => "METRIC_HOST_PRESSURE_IO_SOME_PPM",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Metric {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "METRIC_UNSPECIFIED",
            "METRIC_GPU_UTILIZATION_PERCENT",
            "METRIC_GPU_MEMORY_UTILIZATION_PERCENT",
            "METRIC_GPU_MEMORY_USED_BYTES",
            "METRIC_GPU_MEMORY_TOTAL_BYTES",
            "METRIC_GPU_MEMORY_RESERVED_BYTES",
            "METRIC_GPU_TEMPERATURE_CELSIUS",
            "METRIC_GPU_MEMORY_TEMPERATURE_CELSIUS",
            "METRIC_GPU_TEMPERATURE_MARGIN_CELSIUS",
            "METRIC_GPU_TEMPERATURE_SLOWDOWN_CELSIUS",
            "METRIC_GPU_TEMPERATURE_SHUTDOWN_CELSIUS",
            "METRIC_GPU_POWER_MILLIWATTS",
            "METRIC_GPU_POWER_LIMIT_MILLIWATTS",
            "METRIC_GPU_ENERGY_MILLIJOULES_TOTAL",
            "METRIC_GPU_SM_CLOCK_MEGAHERTZ",
            "METRIC_GPU_MEMORY_CLOCK_MEGAHERTZ",
            "METRIC_GPU_SM_CLOCK_MAX_MEGAHERTZ",
            "METRIC_GPU_MEMORY_CLOCK_MAX_MEGAHERTZ",
            "METRIC_GPU_THROTTLE_REASONS",
            "METRIC_GPU_ECC_CORRECTED_VOLATILE_TOTAL",
            "METRIC_GPU_ECC_UNCORRECTED_VOLATILE_TOTAL",
            "METRIC_GPU_ECC_CORRECTED_AGGREGATE_TOTAL",
            "METRIC_GPU_ECC_UNCORRECTED_AGGREGATE_TOTAL",
            "METRIC_GPU_ROWS_REMAPPED_CORRECTABLE",
            "METRIC_GPU_ROWS_REMAPPED_UNCORRECTABLE",
            "METRIC_GPU_ROW_REMAP_PENDING",
            "METRIC_GPU_ROW_REMAP_FAILED",
            "METRIC_GPU_PAGES_RETIRED_SINGLE_BIT",
            "METRIC_GPU_PAGES_RETIRED_DOUBLE_BIT",
            "METRIC_GPU_PAGES_RETIRED_PENDING",
            "METRIC_GPU_PCIE_LINK_GENERATION",
            "METRIC_GPU_PCIE_LINK_WIDTH",
            "METRIC_GPU_PCIE_LINK_GENERATION_MAX",
            "METRIC_GPU_PCIE_LINK_WIDTH_MAX",
            "METRIC_GPU_PCIE_REPLAY_TOTAL",
            "METRIC_GPU_PCIE_TX_KIBIBYTES_PER_SECOND",
            "METRIC_GPU_PCIE_RX_KIBIBYTES_PER_SECOND",
            "METRIC_GPU_NVLINK_ACTIVE_LINKS",
            "METRIC_GPU_NVLINK_ERRORS_TOTAL",
            "METRIC_GPU_NVLINK_TX_KIBIBYTES_TOTAL",
            "METRIC_GPU_NVLINK_RX_KIBIBYTES_TOTAL",
            "METRIC_GPU_RECOVERY_ACTION",
            "METRIC_GPU_MIG_ENABLED",
            "METRIC_GPU_MIG_INSTANCES",
            "METRIC_GPU_PROCESSES",
            "METRIC_GPU_PROCESS_MEMORY_USED_BYTES",
            "METRIC_GPU_XID_ERRORS_TOTAL",
            "METRIC_GPU_FABRIC_STATE",
            "METRIC_GPU_SRAM_ECC_THRESHOLD_EXCEEDED",
            "METRIC_GPU_NVML_CALL_MICROSECONDS_MAX",
            "METRIC_ENGINE_UP",
            "METRIC_ENGINE_REQUESTS_RUNNING",
            "METRIC_ENGINE_REQUESTS_WAITING",
            "METRIC_ENGINE_KV_CACHE_USAGE_PPM",
            "METRIC_ENGINE_KV_CACHE_CAPACITY_TOKENS",
            "METRIC_ENGINE_TTFT_P50_MICROSECONDS",
            "METRIC_ENGINE_TTFT_P95_MICROSECONDS",
            "METRIC_ENGINE_TTFT_P99_MICROSECONDS",
            "METRIC_ENGINE_ITL_P50_MICROSECONDS",
            "METRIC_ENGINE_ITL_P95_MICROSECONDS",
            "METRIC_ENGINE_ITL_P99_MICROSECONDS",
            "METRIC_ENGINE_E2E_P50_MICROSECONDS",
            "METRIC_ENGINE_E2E_P95_MICROSECONDS",
            "METRIC_ENGINE_E2E_P99_MICROSECONDS",
            "METRIC_ENGINE_QUEUE_TIME_P50_MICROSECONDS",
            "METRIC_ENGINE_QUEUE_TIME_P95_MICROSECONDS",
            "METRIC_ENGINE_QUEUE_TIME_P99_MICROSECONDS",
            "METRIC_ENGINE_PROMPT_TOKENS_MILLI_PER_SECOND",
            "METRIC_ENGINE_GENERATION_TOKENS_MILLI_PER_SECOND",
            "METRIC_ENGINE_REQUESTS_MILLI_PER_SECOND",
            "METRIC_ENGINE_ERRORS_MILLI_PER_SECOND",
            "METRIC_ENGINE_PREEMPTIONS_MILLI_PER_SECOND",
            "METRIC_ENGINE_PREFIX_CACHE_HIT_PPM",
            "METRIC_ENGINE_PROMPT_TOKENS_TOTAL",
            "METRIC_ENGINE_GENERATION_TOKENS_TOTAL",
            "METRIC_ENGINE_REQUESTS_TOTAL",
            "METRIC_ENGINE_ERRORS_TOTAL",
            "METRIC_ENGINE_COUNTER_RESETS_TOTAL",
            "METRIC_ENGINE_SCRAPE_MICROSECONDS",
            "METRIC_ENGINE_SCRAPE_LINES_REJECTED",
            "METRIC_HOST_CPU_USED_PPM",
            "METRIC_HOST_MEMORY_USED_BYTES",
            "METRIC_HOST_MEMORY_TOTAL_BYTES",
            "METRIC_HOST_DISK_USED_BYTES",
            "METRIC_HOST_DISK_TOTAL_BYTES",
            "METRIC_HOST_NETWORK_RX_BYTES_PER_SECOND",
            "METRIC_HOST_NETWORK_TX_BYTES_PER_SECOND",
            "METRIC_HOST_DISK_READ_BYTES_PER_SECOND",
            "METRIC_HOST_DISK_WRITE_BYTES_PER_SECOND",
            "METRIC_HOST_LOAD_1M_MILLI",
            "METRIC_HOST_PRESSURE_CPU_SOME_PPM",
            "METRIC_HOST_PRESSURE_MEMORY_SOME_PPM",
            "METRIC_HOST_PRESSURE_IO_SOME_PPM",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Metric;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "METRIC_UNSPECIFIED" => Ok(Metric::Unspecified),
                    "METRIC_GPU_UTILIZATION_PERCENT" => Ok(Metric::GpuUtilizationPercent),
                    "METRIC_GPU_MEMORY_UTILIZATION_PERCENT" => Ok(Metric::GpuMemoryUtilizationPercent),
                    "METRIC_GPU_MEMORY_USED_BYTES" => Ok(Metric::GpuMemoryUsedBytes),
                    "METRIC_GPU_MEMORY_TOTAL_BYTES" => Ok(Metric::GpuMemoryTotalBytes),
                    "METRIC_GPU_MEMORY_RESERVED_BYTES" => Ok(Metric::GpuMemoryReservedBytes),
                    "METRIC_GPU_TEMPERATURE_CELSIUS" => Ok(Metric::GpuTemperatureCelsius),
                    "METRIC_GPU_MEMORY_TEMPERATURE_CELSIUS" => Ok(Metric::GpuMemoryTemperatureCelsius),
                    "METRIC_GPU_TEMPERATURE_MARGIN_CELSIUS" => Ok(Metric::GpuTemperatureMarginCelsius),
                    "METRIC_GPU_TEMPERATURE_SLOWDOWN_CELSIUS" => Ok(Metric::GpuTemperatureSlowdownCelsius),
                    "METRIC_GPU_TEMPERATURE_SHUTDOWN_CELSIUS" => Ok(Metric::GpuTemperatureShutdownCelsius),
                    "METRIC_GPU_POWER_MILLIWATTS" => Ok(Metric::GpuPowerMilliwatts),
                    "METRIC_GPU_POWER_LIMIT_MILLIWATTS" => Ok(Metric::GpuPowerLimitMilliwatts),
                    "METRIC_GPU_ENERGY_MILLIJOULES_TOTAL" => Ok(Metric::GpuEnergyMillijoulesTotal),
                    "METRIC_GPU_SM_CLOCK_MEGAHERTZ" => Ok(Metric::GpuSmClockMegahertz),
                    "METRIC_GPU_MEMORY_CLOCK_MEGAHERTZ" => Ok(Metric::GpuMemoryClockMegahertz),
                    "METRIC_GPU_SM_CLOCK_MAX_MEGAHERTZ" => Ok(Metric::GpuSmClockMaxMegahertz),
                    "METRIC_GPU_MEMORY_CLOCK_MAX_MEGAHERTZ" => Ok(Metric::GpuMemoryClockMaxMegahertz),
                    "METRIC_GPU_THROTTLE_REASONS" => Ok(Metric::GpuThrottleReasons),
                    "METRIC_GPU_ECC_CORRECTED_VOLATILE_TOTAL" => Ok(Metric::GpuEccCorrectedVolatileTotal),
                    "METRIC_GPU_ECC_UNCORRECTED_VOLATILE_TOTAL" => Ok(Metric::GpuEccUncorrectedVolatileTotal),
                    "METRIC_GPU_ECC_CORRECTED_AGGREGATE_TOTAL" => Ok(Metric::GpuEccCorrectedAggregateTotal),
                    "METRIC_GPU_ECC_UNCORRECTED_AGGREGATE_TOTAL" => Ok(Metric::GpuEccUncorrectedAggregateTotal),
                    "METRIC_GPU_ROWS_REMAPPED_CORRECTABLE" => Ok(Metric::GpuRowsRemappedCorrectable),
                    "METRIC_GPU_ROWS_REMAPPED_UNCORRECTABLE" => Ok(Metric::GpuRowsRemappedUncorrectable),
                    "METRIC_GPU_ROW_REMAP_PENDING" => Ok(Metric::GpuRowRemapPending),
                    "METRIC_GPU_ROW_REMAP_FAILED" => Ok(Metric::GpuRowRemapFailed),
                    "METRIC_GPU_PAGES_RETIRED_SINGLE_BIT" => Ok(Metric::GpuPagesRetiredSingleBit),
                    "METRIC_GPU_PAGES_RETIRED_DOUBLE_BIT" => Ok(Metric::GpuPagesRetiredDoubleBit),
                    "METRIC_GPU_PAGES_RETIRED_PENDING" => Ok(Metric::GpuPagesRetiredPending),
                    "METRIC_GPU_PCIE_LINK_GENERATION" => Ok(Metric::GpuPcieLinkGeneration),
                    "METRIC_GPU_PCIE_LINK_WIDTH" => Ok(Metric::GpuPcieLinkWidth),
                    "METRIC_GPU_PCIE_LINK_GENERATION_MAX" => Ok(Metric::GpuPcieLinkGenerationMax),
                    "METRIC_GPU_PCIE_LINK_WIDTH_MAX" => Ok(Metric::GpuPcieLinkWidthMax),
                    "METRIC_GPU_PCIE_REPLAY_TOTAL" => Ok(Metric::GpuPcieReplayTotal),
                    "METRIC_GPU_PCIE_TX_KIBIBYTES_PER_SECOND" => Ok(Metric::GpuPcieTxKibibytesPerSecond),
                    "METRIC_GPU_PCIE_RX_KIBIBYTES_PER_SECOND" => Ok(Metric::GpuPcieRxKibibytesPerSecond),
                    "METRIC_GPU_NVLINK_ACTIVE_LINKS" => Ok(Metric::GpuNvlinkActiveLinks),
                    "METRIC_GPU_NVLINK_ERRORS_TOTAL" => Ok(Metric::GpuNvlinkErrorsTotal),
                    "METRIC_GPU_NVLINK_TX_KIBIBYTES_TOTAL" => Ok(Metric::GpuNvlinkTxKibibytesTotal),
                    "METRIC_GPU_NVLINK_RX_KIBIBYTES_TOTAL" => Ok(Metric::GpuNvlinkRxKibibytesTotal),
                    "METRIC_GPU_RECOVERY_ACTION" => Ok(Metric::GpuRecoveryAction),
                    "METRIC_GPU_MIG_ENABLED" => Ok(Metric::GpuMigEnabled),
                    "METRIC_GPU_MIG_INSTANCES" => Ok(Metric::GpuMigInstances),
                    "METRIC_GPU_PROCESSES" => Ok(Metric::GpuProcesses),
                    "METRIC_GPU_PROCESS_MEMORY_USED_BYTES" => Ok(Metric::GpuProcessMemoryUsedBytes),
                    "METRIC_GPU_XID_ERRORS_TOTAL" => Ok(Metric::GpuXidErrorsTotal),
                    "METRIC_GPU_FABRIC_STATE" => Ok(Metric::GpuFabricState),
                    "METRIC_GPU_SRAM_ECC_THRESHOLD_EXCEEDED" => Ok(Metric::GpuSramEccThresholdExceeded),
                    "METRIC_GPU_NVML_CALL_MICROSECONDS_MAX" => Ok(Metric::GpuNvmlCallMicrosecondsMax),
                    "METRIC_ENGINE_UP" => Ok(Metric::EngineUp),
                    "METRIC_ENGINE_REQUESTS_RUNNING" => Ok(Metric::EngineRequestsRunning),
                    "METRIC_ENGINE_REQUESTS_WAITING" => Ok(Metric::EngineRequestsWaiting),
                    "METRIC_ENGINE_KV_CACHE_USAGE_PPM" => Ok(Metric::EngineKvCacheUsagePpm),
                    "METRIC_ENGINE_KV_CACHE_CAPACITY_TOKENS" => Ok(Metric::EngineKvCacheCapacityTokens),
                    "METRIC_ENGINE_TTFT_P50_MICROSECONDS" => Ok(Metric::EngineTtftP50Microseconds),
                    "METRIC_ENGINE_TTFT_P95_MICROSECONDS" => Ok(Metric::EngineTtftP95Microseconds),
                    "METRIC_ENGINE_TTFT_P99_MICROSECONDS" => Ok(Metric::EngineTtftP99Microseconds),
                    "METRIC_ENGINE_ITL_P50_MICROSECONDS" => Ok(Metric::EngineItlP50Microseconds),
                    "METRIC_ENGINE_ITL_P95_MICROSECONDS" => Ok(Metric::EngineItlP95Microseconds),
                    "METRIC_ENGINE_ITL_P99_MICROSECONDS" => Ok(Metric::EngineItlP99Microseconds),
                    "METRIC_ENGINE_E2E_P50_MICROSECONDS" => Ok(Metric::EngineE2eP50Microseconds),
                    "METRIC_ENGINE_E2E_P95_MICROSECONDS" => Ok(Metric::EngineE2eP95Microseconds),
                    "METRIC_ENGINE_E2E_P99_MICROSECONDS" => Ok(Metric::EngineE2eP99Microseconds),
                    "METRIC_ENGINE_QUEUE_TIME_P50_MICROSECONDS" => Ok(Metric::EngineQueueTimeP50Microseconds),
                    "METRIC_ENGINE_QUEUE_TIME_P95_MICROSECONDS" => Ok(Metric::EngineQueueTimeP95Microseconds),
                    "METRIC_ENGINE_QUEUE_TIME_P99_MICROSECONDS" => Ok(Metric::EngineQueueTimeP99Microseconds),
                    "METRIC_ENGINE_PROMPT_TOKENS_MILLI_PER_SECOND" => Ok(Metric::EnginePromptTokensMilliPerSecond),
                    "METRIC_ENGINE_GENERATION_TOKENS_MILLI_PER_SECOND" => Ok(Metric::EngineGenerationTokensMilliPerSecond),
                    "METRIC_ENGINE_REQUESTS_MILLI_PER_SECOND" => Ok(Metric::EngineRequestsMilliPerSecond),
                    "METRIC_ENGINE_ERRORS_MILLI_PER_SECOND" => Ok(Metric::EngineErrorsMilliPerSecond),
                    "METRIC_ENGINE_PREEMPTIONS_MILLI_PER_SECOND" => Ok(Metric::EnginePreemptionsMilliPerSecond),
                    "METRIC_ENGINE_PREFIX_CACHE_HIT_PPM" => Ok(Metric::EnginePrefixCacheHitPpm),
                    "METRIC_ENGINE_PROMPT_TOKENS_TOTAL" => Ok(Metric::EnginePromptTokensTotal),
                    "METRIC_ENGINE_GENERATION_TOKENS_TOTAL" => Ok(Metric::EngineGenerationTokensTotal),
                    "METRIC_ENGINE_REQUESTS_TOTAL" => Ok(Metric::EngineRequestsTotal),
                    "METRIC_ENGINE_ERRORS_TOTAL" => Ok(Metric::EngineErrorsTotal),
                    "METRIC_ENGINE_COUNTER_RESETS_TOTAL" => Ok(Metric::EngineCounterResetsTotal),
                    "METRIC_ENGINE_SCRAPE_MICROSECONDS" => Ok(Metric::EngineScrapeMicroseconds),
                    "METRIC_ENGINE_SCRAPE_LINES_REJECTED" => Ok(Metric::EngineScrapeLinesRejected),
                    "METRIC_HOST_CPU_USED_PPM" => Ok(Metric::HostCpuUsedPpm),
                    "METRIC_HOST_MEMORY_USED_BYTES" => Ok(Metric::HostMemoryUsedBytes),
                    "METRIC_HOST_MEMORY_TOTAL_BYTES" => Ok(Metric::HostMemoryTotalBytes),
                    "METRIC_HOST_DISK_USED_BYTES" => Ok(Metric::HostDiskUsedBytes),
                    "METRIC_HOST_DISK_TOTAL_BYTES" => Ok(Metric::HostDiskTotalBytes),
                    "METRIC_HOST_NETWORK_RX_BYTES_PER_SECOND" => Ok(Metric::HostNetworkRxBytesPerSecond),
                    "METRIC_HOST_NETWORK_TX_BYTES_PER_SECOND" => Ok(Metric::HostNetworkTxBytesPerSecond),
                    "METRIC_HOST_DISK_READ_BYTES_PER_SECOND" => Ok(Metric::HostDiskReadBytesPerSecond),
                    "METRIC_HOST_DISK_WRITE_BYTES_PER_SECOND" => Ok(Metric::HostDiskWriteBytesPerSecond),
                    "METRIC_HOST_LOAD_1M_MILLI" => Ok(Metric::HostLoad1mMilli),
                    "METRIC_HOST_PRESSURE_CPU_SOME_PPM" => Ok(Metric::HostPressureCpuSomePpm),
                    "METRIC_HOST_PRESSURE_MEMORY_SOME_PPM" => Ok(Metric::HostPressureMemorySomePpm),
                    "METRIC_HOST_PRESSURE_IO_SOME_PPM" => Ok(Metric::HostPressureIoSomePpm),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for MigInstance {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.uuid.is_empty() {
            len += 1;
        }
        if self.gpu_instance_id != 0 {
            len += 1;
        }
        if self.compute_instance_id != 0 {
            len += 1;
        }
        if !self.profile.is_empty() {
            len += 1;
        }
        if self.memory_total_bytes.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.MigInstance", len)?;
        if !self.uuid.is_empty() {
            struct_ser.serialize_field("uuid", &self.uuid)?;
        }
        if self.gpu_instance_id != 0 {
            struct_ser.serialize_field("gpu_instance_id", &self.gpu_instance_id)?;
        }
        if self.compute_instance_id != 0 {
            struct_ser.serialize_field("compute_instance_id", &self.compute_instance_id)?;
        }
        if !self.profile.is_empty() {
            struct_ser.serialize_field("profile", &self.profile)?;
        }
        if let Some(v) = self.memory_total_bytes.as_ref() {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("memory_total_bytes", ToString::to_string(&v).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for MigInstance {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "uuid",
            "gpu_instance_id",
            "gpuInstanceId",
            "compute_instance_id",
            "computeInstanceId",
            "profile",
            "memory_total_bytes",
            "memoryTotalBytes",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Uuid,
            GpuInstanceId,
            ComputeInstanceId,
            Profile,
            MemoryTotalBytes,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "uuid" => Ok(GeneratedField::Uuid),
                            "gpuInstanceId" | "gpu_instance_id" => Ok(GeneratedField::GpuInstanceId),
                            "computeInstanceId" | "compute_instance_id" => Ok(GeneratedField::ComputeInstanceId),
                            "profile" => Ok(GeneratedField::Profile),
                            "memoryTotalBytes" | "memory_total_bytes" => Ok(GeneratedField::MemoryTotalBytes),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = MigInstance;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.MigInstance")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<MigInstance, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut uuid__ = None;
                let mut gpu_instance_id__ = None;
                let mut compute_instance_id__ = None;
                let mut profile__ = None;
                let mut memory_total_bytes__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Uuid => {
                            if uuid__.is_some() {
                                return Err(serde::de::Error::duplicate_field("uuid"));
                            }
                            uuid__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GpuInstanceId => {
                            if gpu_instance_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuInstanceId"));
                            }
                            gpu_instance_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ComputeInstanceId => {
                            if compute_instance_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("computeInstanceId"));
                            }
                            compute_instance_id__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Profile => {
                            if profile__.is_some() {
                                return Err(serde::de::Error::duplicate_field("profile"));
                            }
                            profile__ = Some(map_.next_value()?);
                        }
                        GeneratedField::MemoryTotalBytes => {
                            if memory_total_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("memoryTotalBytes"));
                            }
                            memory_total_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                    }
                }
                Ok(MigInstance {
                    uuid: uuid__.unwrap_or_default(),
                    gpu_instance_id: gpu_instance_id__.unwrap_or_default(),
                    compute_instance_id: compute_instance_id__.unwrap_or_default(),
                    profile: profile__.unwrap_or_default(),
                    memory_total_bytes: memory_total_bytes__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.MigInstance", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Node {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.zone.is_empty() {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.state_reason.is_empty() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if !self.boot_id.is_empty() {
            len += 1;
        }
        if self.incarnation != 0 {
            len += 1;
        }
        if !self.agent_version.is_empty() {
            len += 1;
        }
        if !self.labels.is_empty() {
            len += 1;
        }
        if self.simulated {
            len += 1;
        }
        if self.connected {
            len += 1;
        }
        if self.gpu_count != 0 {
            len += 1;
        }
        if self.gpu_ok_count != 0 {
            len += 1;
        }
        if self.engine_count != 0 {
            len += 1;
        }
        if !self.sources.is_empty() {
            len += 1;
        }
        if self.gpu_utilization_percent.is_some() {
            len += 1;
        }
        if self.gpu_memory_used_bytes.is_some() {
            len += 1;
        }
        if self.gpu_memory_total_bytes.is_some() {
            len += 1;
        }
        if self.requests_running.is_some() {
            len += 1;
        }
        if self.requests_waiting.is_some() {
            len += 1;
        }
        if self.cpu_used_percent.is_some() {
            len += 1;
        }
        if !self.readings.is_empty() {
            len += 1;
        }
        if self.revision != 0 {
            len += 1;
        }
        if !self.probe_address.is_empty() {
            len += 1;
        }
        if self.rows_dropped != 0 {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.verdict_reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Node", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if self.state != 0 {
            let v = NodeState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.state_reason.is_empty() {
            struct_ser.serialize_field("state_reason", &self.state_reason)?;
        }
        if self.age_ms != 0 {
            struct_ser.serialize_field("age_ms", &self.age_ms)?;
        }
        if !self.boot_id.is_empty() {
            struct_ser.serialize_field("boot_id", &self.boot_id)?;
        }
        if self.incarnation != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("incarnation", ToString::to_string(&self.incarnation).as_str())?;
        }
        if !self.agent_version.is_empty() {
            struct_ser.serialize_field("agent_version", &self.agent_version)?;
        }
        if !self.labels.is_empty() {
            struct_ser.serialize_field("labels", &self.labels)?;
        }
        if self.simulated {
            struct_ser.serialize_field("simulated", &self.simulated)?;
        }
        if self.connected {
            struct_ser.serialize_field("connected", &self.connected)?;
        }
        if self.gpu_count != 0 {
            struct_ser.serialize_field("gpu_count", &self.gpu_count)?;
        }
        if self.gpu_ok_count != 0 {
            struct_ser.serialize_field("gpu_ok_count", &self.gpu_ok_count)?;
        }
        if self.engine_count != 0 {
            struct_ser.serialize_field("engine_count", &self.engine_count)?;
        }
        if !self.sources.is_empty() {
            struct_ser.serialize_field("sources", &self.sources)?;
        }
        if let Some(v) = self.gpu_utilization_percent.as_ref() {
            struct_ser.serialize_field("gpu_utilization_percent", v)?;
        }
        if let Some(v) = self.gpu_memory_used_bytes.as_ref() {
            struct_ser.serialize_field("gpu_memory_used_bytes", v)?;
        }
        if let Some(v) = self.gpu_memory_total_bytes.as_ref() {
            struct_ser.serialize_field("gpu_memory_total_bytes", v)?;
        }
        if let Some(v) = self.requests_running.as_ref() {
            struct_ser.serialize_field("requests_running", v)?;
        }
        if let Some(v) = self.requests_waiting.as_ref() {
            struct_ser.serialize_field("requests_waiting", v)?;
        }
        if let Some(v) = self.cpu_used_percent.as_ref() {
            struct_ser.serialize_field("cpu_used_percent", v)?;
        }
        if !self.readings.is_empty() {
            struct_ser.serialize_field("readings", &self.readings)?;
        }
        if self.revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("revision", ToString::to_string(&self.revision).as_str())?;
        }
        if !self.probe_address.is_empty() {
            struct_ser.serialize_field("probe_address", &self.probe_address)?;
        }
        if self.rows_dropped != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("rows_dropped", ToString::to_string(&self.rows_dropped).as_str())?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.verdict_reason.is_empty() {
            struct_ser.serialize_field("verdict_reason", &self.verdict_reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Node {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "zone",
            "state",
            "state_reason",
            "stateReason",
            "age_ms",
            "ageMs",
            "boot_id",
            "bootId",
            "incarnation",
            "agent_version",
            "agentVersion",
            "labels",
            "simulated",
            "connected",
            "gpu_count",
            "gpuCount",
            "gpu_ok_count",
            "gpuOkCount",
            "engine_count",
            "engineCount",
            "sources",
            "gpu_utilization_percent",
            "gpuUtilizationPercent",
            "gpu_memory_used_bytes",
            "gpuMemoryUsedBytes",
            "gpu_memory_total_bytes",
            "gpuMemoryTotalBytes",
            "requests_running",
            "requestsRunning",
            "requests_waiting",
            "requestsWaiting",
            "cpu_used_percent",
            "cpuUsedPercent",
            "readings",
            "revision",
            "probe_address",
            "probeAddress",
            "rows_dropped",
            "rowsDropped",
            "verdict",
            "verdict_reason",
            "verdictReason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Zone,
            State,
            StateReason,
            AgeMs,
            BootId,
            Incarnation,
            AgentVersion,
            Labels,
            Simulated,
            Connected,
            GpuCount,
            GpuOkCount,
            EngineCount,
            Sources,
            GpuUtilizationPercent,
            GpuMemoryUsedBytes,
            GpuMemoryTotalBytes,
            RequestsRunning,
            RequestsWaiting,
            CpuUsedPercent,
            Readings,
            Revision,
            ProbeAddress,
            RowsDropped,
            Verdict,
            VerdictReason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "zone" => Ok(GeneratedField::Zone),
                            "state" => Ok(GeneratedField::State),
                            "stateReason" | "state_reason" => Ok(GeneratedField::StateReason),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "bootId" | "boot_id" => Ok(GeneratedField::BootId),
                            "incarnation" => Ok(GeneratedField::Incarnation),
                            "agentVersion" | "agent_version" => Ok(GeneratedField::AgentVersion),
                            "labels" => Ok(GeneratedField::Labels),
                            "simulated" => Ok(GeneratedField::Simulated),
                            "connected" => Ok(GeneratedField::Connected),
                            "gpuCount" | "gpu_count" => Ok(GeneratedField::GpuCount),
                            "gpuOkCount" | "gpu_ok_count" => Ok(GeneratedField::GpuOkCount),
                            "engineCount" | "engine_count" => Ok(GeneratedField::EngineCount),
                            "sources" => Ok(GeneratedField::Sources),
                            "gpuUtilizationPercent" | "gpu_utilization_percent" => Ok(GeneratedField::GpuUtilizationPercent),
                            "gpuMemoryUsedBytes" | "gpu_memory_used_bytes" => Ok(GeneratedField::GpuMemoryUsedBytes),
                            "gpuMemoryTotalBytes" | "gpu_memory_total_bytes" => Ok(GeneratedField::GpuMemoryTotalBytes),
                            "requestsRunning" | "requests_running" => Ok(GeneratedField::RequestsRunning),
                            "requestsWaiting" | "requests_waiting" => Ok(GeneratedField::RequestsWaiting),
                            "cpuUsedPercent" | "cpu_used_percent" => Ok(GeneratedField::CpuUsedPercent),
                            "readings" => Ok(GeneratedField::Readings),
                            "revision" => Ok(GeneratedField::Revision),
                            "probeAddress" | "probe_address" => Ok(GeneratedField::ProbeAddress),
                            "rowsDropped" | "rows_dropped" => Ok(GeneratedField::RowsDropped),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "verdictReason" | "verdict_reason" => Ok(GeneratedField::VerdictReason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Node;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Node")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Node, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut zone__ = None;
                let mut state__ = None;
                let mut state_reason__ = None;
                let mut age_ms__ = None;
                let mut boot_id__ = None;
                let mut incarnation__ = None;
                let mut agent_version__ = None;
                let mut labels__ = None;
                let mut simulated__ = None;
                let mut connected__ = None;
                let mut gpu_count__ = None;
                let mut gpu_ok_count__ = None;
                let mut engine_count__ = None;
                let mut sources__ = None;
                let mut gpu_utilization_percent__ = None;
                let mut gpu_memory_used_bytes__ = None;
                let mut gpu_memory_total_bytes__ = None;
                let mut requests_running__ = None;
                let mut requests_waiting__ = None;
                let mut cpu_used_percent__ = None;
                let mut readings__ = None;
                let mut revision__ = None;
                let mut probe_address__ = None;
                let mut rows_dropped__ = None;
                let mut verdict__ = None;
                let mut verdict_reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<NodeState>()? as i32);
                        }
                        GeneratedField::StateReason => {
                            if state_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stateReason"));
                            }
                            state_reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::BootId => {
                            if boot_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("bootId"));
                            }
                            boot_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Incarnation => {
                            if incarnation__.is_some() {
                                return Err(serde::de::Error::duplicate_field("incarnation"));
                            }
                            incarnation__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AgentVersion => {
                            if agent_version__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agentVersion"));
                            }
                            agent_version__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Labels => {
                            if labels__.is_some() {
                                return Err(serde::de::Error::duplicate_field("labels"));
                            }
                            labels__ = Some(
                                map_.next_value::<std::collections::BTreeMap<_, _>>()?
                            );
                        }
                        GeneratedField::Simulated => {
                            if simulated__.is_some() {
                                return Err(serde::de::Error::duplicate_field("simulated"));
                            }
                            simulated__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Connected => {
                            if connected__.is_some() {
                                return Err(serde::de::Error::duplicate_field("connected"));
                            }
                            connected__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GpuCount => {
                            if gpu_count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuCount"));
                            }
                            gpu_count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::GpuOkCount => {
                            if gpu_ok_count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuOkCount"));
                            }
                            gpu_ok_count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EngineCount => {
                            if engine_count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engineCount"));
                            }
                            engine_count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Sources => {
                            if sources__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sources"));
                            }
                            sources__ = Some(map_.next_value()?);
                        }
                        GeneratedField::GpuUtilizationPercent => {
                            if gpu_utilization_percent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuUtilizationPercent"));
                            }
                            gpu_utilization_percent__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuMemoryUsedBytes => {
                            if gpu_memory_used_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuMemoryUsedBytes"));
                            }
                            gpu_memory_used_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuMemoryTotalBytes => {
                            if gpu_memory_total_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuMemoryTotalBytes"));
                            }
                            gpu_memory_total_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RequestsRunning => {
                            if requests_running__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsRunning"));
                            }
                            requests_running__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RequestsWaiting => {
                            if requests_waiting__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsWaiting"));
                            }
                            requests_waiting__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::CpuUsedPercent => {
                            if cpu_used_percent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("cpuUsedPercent"));
                            }
                            cpu_used_percent__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::Readings => {
                            if readings__.is_some() {
                                return Err(serde::de::Error::duplicate_field("readings"));
                            }
                            readings__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ProbeAddress => {
                            if probe_address__.is_some() {
                                return Err(serde::de::Error::duplicate_field("probeAddress"));
                            }
                            probe_address__ = Some(map_.next_value()?);
                        }
                        GeneratedField::RowsDropped => {
                            if rows_dropped__.is_some() {
                                return Err(serde::de::Error::duplicate_field("rowsDropped"));
                            }
                            rows_dropped__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::VerdictReason => {
                            if verdict_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdictReason"));
                            }
                            verdict_reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Node {
                    name: name__.unwrap_or_default(),
                    zone: zone__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    state_reason: state_reason__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    boot_id: boot_id__.unwrap_or_default(),
                    incarnation: incarnation__.unwrap_or_default(),
                    agent_version: agent_version__.unwrap_or_default(),
                    labels: labels__.unwrap_or_default(),
                    simulated: simulated__.unwrap_or_default(),
                    connected: connected__.unwrap_or_default(),
                    gpu_count: gpu_count__.unwrap_or_default(),
                    gpu_ok_count: gpu_ok_count__.unwrap_or_default(),
                    engine_count: engine_count__.unwrap_or_default(),
                    sources: sources__.unwrap_or_default(),
                    gpu_utilization_percent: gpu_utilization_percent__,
                    gpu_memory_used_bytes: gpu_memory_used_bytes__,
                    gpu_memory_total_bytes: gpu_memory_total_bytes__,
                    requests_running: requests_running__,
                    requests_waiting: requests_waiting__,
                    cpu_used_percent: cpu_used_percent__,
                    readings: readings__.unwrap_or_default(),
                    revision: revision__.unwrap_or_default(),
                    probe_address: probe_address__.unwrap_or_default(),
                    rows_dropped: rows_dropped__.unwrap_or_default(),
                    verdict: verdict__.unwrap_or_default(),
                    verdict_reason: verdict_reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Node", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for NodeState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "NODE_STATE_UNSPECIFIED",
            Self::Fresh => "NODE_STATE_FRESH",
            Self::Stale => "NODE_STATE_STALE",
            Self::Joining => "NODE_STATE_JOINING",
            Self::Left => "NODE_STATE_LEFT",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for NodeState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "NODE_STATE_UNSPECIFIED",
            "NODE_STATE_FRESH",
            "NODE_STATE_STALE",
            "NODE_STATE_JOINING",
            "NODE_STATE_LEFT",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = NodeState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "NODE_STATE_UNSPECIFIED" => Ok(NodeState::Unspecified),
                    "NODE_STATE_FRESH" => Ok(NodeState::Fresh),
                    "NODE_STATE_STALE" => Ok(NodeState::Stale),
                    "NODE_STATE_JOINING" => Ok(NodeState::Joining),
                    "NODE_STATE_LEFT" => Ok(NodeState::Left),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Order {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.request_id.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.operator.is_empty() {
            len += 1;
        }
        if self.dry_run {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Order", len)?;
        if !self.request_id.is_empty() {
            struct_ser.serialize_field("request_id", &self.request_id)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.operator.is_empty() {
            struct_ser.serialize_field("operator", &self.operator)?;
        }
        if self.dry_run {
            struct_ser.serialize_field("dry_run", &self.dry_run)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Order {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "request_id",
            "requestId",
            "reason",
            "operator",
            "dry_run",
            "dryRun",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RequestId,
            Reason,
            Operator,
            DryRun,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "requestId" | "request_id" => Ok(GeneratedField::RequestId),
                            "reason" => Ok(GeneratedField::Reason),
                            "operator" => Ok(GeneratedField::Operator),
                            "dryRun" | "dry_run" => Ok(GeneratedField::DryRun),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Order;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Order")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Order, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut request_id__ = None;
                let mut reason__ = None;
                let mut operator__ = None;
                let mut dry_run__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RequestId => {
                            if request_id__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestId"));
                            }
                            request_id__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Operator => {
                            if operator__.is_some() {
                                return Err(serde::de::Error::duplicate_field("operator"));
                            }
                            operator__ = Some(map_.next_value()?);
                        }
                        GeneratedField::DryRun => {
                            if dry_run__.is_some() {
                                return Err(serde::de::Error::duplicate_field("dryRun"));
                            }
                            dry_run__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Order {
                    request_id: request_id__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    operator: operator__.unwrap_or_default(),
                    dry_run: dry_run__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Order", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Pool {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if !self.model.is_empty() {
            len += 1;
        }
        if self.engines != 0 {
            len += 1;
        }
        if self.engines_serving != 0 {
            len += 1;
        }
        if self.gpus != 0 {
            len += 1;
        }
        if !self.zones.is_empty() {
            len += 1;
        }
        if self.signals.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Pool", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if !self.model.is_empty() {
            struct_ser.serialize_field("model", &self.model)?;
        }
        if self.engines != 0 {
            struct_ser.serialize_field("engines", &self.engines)?;
        }
        if self.engines_serving != 0 {
            struct_ser.serialize_field("engines_serving", &self.engines_serving)?;
        }
        if self.gpus != 0 {
            struct_ser.serialize_field("gpus", &self.gpus)?;
        }
        if !self.zones.is_empty() {
            struct_ser.serialize_field("zones", &self.zones)?;
        }
        if let Some(v) = self.signals.as_ref() {
            struct_ser.serialize_field("signals", v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Pool {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "model",
            "engines",
            "engines_serving",
            "enginesServing",
            "gpus",
            "zones",
            "signals",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Model,
            Engines,
            EnginesServing,
            Gpus,
            Zones,
            Signals,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "model" => Ok(GeneratedField::Model),
                            "engines" => Ok(GeneratedField::Engines),
                            "enginesServing" | "engines_serving" => Ok(GeneratedField::EnginesServing),
                            "gpus" => Ok(GeneratedField::Gpus),
                            "zones" => Ok(GeneratedField::Zones),
                            "signals" => Ok(GeneratedField::Signals),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Pool;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Pool")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Pool, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut model__ = None;
                let mut engines__ = None;
                let mut engines_serving__ = None;
                let mut gpus__ = None;
                let mut zones__ = None;
                let mut signals__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Model => {
                            if model__.is_some() {
                                return Err(serde::de::Error::duplicate_field("model"));
                            }
                            model__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Engines => {
                            if engines__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engines"));
                            }
                            engines__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::EnginesServing => {
                            if engines_serving__.is_some() {
                                return Err(serde::de::Error::duplicate_field("enginesServing"));
                            }
                            engines_serving__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Gpus => {
                            if gpus__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpus"));
                            }
                            gpus__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Zones => {
                            if zones__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zones"));
                            }
                            zones__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Signals => {
                            if signals__.is_some() {
                                return Err(serde::de::Error::duplicate_field("signals"));
                            }
                            signals__ = map_.next_value()?;
                        }
                    }
                }
                Ok(Pool {
                    name: name__.unwrap_or_default(),
                    model: model__.unwrap_or_default(),
                    engines: engines__.unwrap_or_default(),
                    engines_serving: engines_serving__.unwrap_or_default(),
                    gpus: gpus__.unwrap_or_default(),
                    zones: zones__.unwrap_or_default(),
                    signals: signals__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Pool", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for QueryRangeRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.metric != 0 {
            len += 1;
        }
        if self.since_ms != 0 {
            len += 1;
        }
        if self.until_ms != 0 {
            len += 1;
        }
        if self.step_ms != 0 {
            len += 1;
        }
        if self.owner.is_some() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.QueryRangeRequest", len)?;
        if self.metric != 0 {
            let v = Metric::try_from(self.metric)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.metric)))?;
            struct_ser.serialize_field("metric", &v)?;
        }
        if self.since_ms != 0 {
            struct_ser.serialize_field("since_ms", &self.since_ms)?;
        }
        if self.until_ms != 0 {
            struct_ser.serialize_field("until_ms", &self.until_ms)?;
        }
        if self.step_ms != 0 {
            struct_ser.serialize_field("step_ms", &self.step_ms)?;
        }
        if let Some(v) = self.owner.as_ref() {
            match v {
                query_range_request::Owner::Node(v) => {
                    struct_ser.serialize_field("node", v)?;
                }
                query_range_request::Owner::Gpu(v) => {
                    struct_ser.serialize_field("gpu", v)?;
                }
                query_range_request::Owner::Engine(v) => {
                    struct_ser.serialize_field("engine", v)?;
                }
                query_range_request::Owner::Zone(v) => {
                    struct_ser.serialize_field("zone", v)?;
                }
                query_range_request::Owner::Pool(v) => {
                    struct_ser.serialize_field("pool", v)?;
                }
            }
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for QueryRangeRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "metric",
            "since_ms",
            "sinceMs",
            "until_ms",
            "untilMs",
            "step_ms",
            "stepMs",
            "node",
            "gpu",
            "engine",
            "zone",
            "pool",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Metric,
            SinceMs,
            UntilMs,
            StepMs,
            Node,
            Gpu,
            Engine,
            Zone,
            Pool,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "metric" => Ok(GeneratedField::Metric),
                            "sinceMs" | "since_ms" => Ok(GeneratedField::SinceMs),
                            "untilMs" | "until_ms" => Ok(GeneratedField::UntilMs),
                            "stepMs" | "step_ms" => Ok(GeneratedField::StepMs),
                            "node" => Ok(GeneratedField::Node),
                            "gpu" => Ok(GeneratedField::Gpu),
                            "engine" => Ok(GeneratedField::Engine),
                            "zone" => Ok(GeneratedField::Zone),
                            "pool" => Ok(GeneratedField::Pool),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = QueryRangeRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.QueryRangeRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<QueryRangeRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut metric__ = None;
                let mut since_ms__ = None;
                let mut until_ms__ = None;
                let mut step_ms__ = None;
                let mut owner__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Metric => {
                            if metric__.is_some() {
                                return Err(serde::de::Error::duplicate_field("metric"));
                            }
                            metric__ = Some(map_.next_value::<Metric>()? as i32);
                        }
                        GeneratedField::SinceMs => {
                            if since_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("sinceMs"));
                            }
                            since_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::UntilMs => {
                            if until_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("untilMs"));
                            }
                            until_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::StepMs => {
                            if step_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("stepMs"));
                            }
                            step_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Node => {
                            if owner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("node"));
                            }
                            owner__ = map_.next_value::<::std::option::Option<_>>()?.map(query_range_request::Owner::Node);
                        }
                        GeneratedField::Gpu => {
                            if owner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpu"));
                            }
                            owner__ = map_.next_value::<::std::option::Option<_>>()?.map(query_range_request::Owner::Gpu);
                        }
                        GeneratedField::Engine => {
                            if owner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("engine"));
                            }
                            owner__ = map_.next_value::<::std::option::Option<_>>()?.map(query_range_request::Owner::Engine);
                        }
                        GeneratedField::Zone => {
                            if owner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            owner__ = map_.next_value::<::std::option::Option<_>>()?.map(query_range_request::Owner::Zone);
                        }
                        GeneratedField::Pool => {
                            if owner__.is_some() {
                                return Err(serde::de::Error::duplicate_field("pool"));
                            }
                            owner__ = map_.next_value::<::std::option::Option<_>>()?.map(query_range_request::Owner::Pool);
                        }
                    }
                }
                Ok(QueryRangeRequest {
                    metric: metric__.unwrap_or_default(),
                    since_ms: since_ms__.unwrap_or_default(),
                    until_ms: until_ms__.unwrap_or_default(),
                    step_ms: step_ms__.unwrap_or_default(),
                    owner: owner__,
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.QueryRangeRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for QueryRangeResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.metric != 0 {
            len += 1;
        }
        if !self.ages_ms.is_empty() {
            len += 1;
        }
        if !self.values.is_empty() {
            len += 1;
        }
        if self.resolution_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.QueryRangeResponse", len)?;
        if self.metric != 0 {
            let v = Metric::try_from(self.metric)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.metric)))?;
            struct_ser.serialize_field("metric", &v)?;
        }
        if !self.ages_ms.is_empty() {
            struct_ser.serialize_field("ages_ms", &self.ages_ms)?;
        }
        if !self.values.is_empty() {
            struct_ser.serialize_field("values", &self.values)?;
        }
        if self.resolution_ms != 0 {
            struct_ser.serialize_field("resolution_ms", &self.resolution_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for QueryRangeResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "metric",
            "ages_ms",
            "agesMs",
            "values",
            "resolution_ms",
            "resolutionMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Metric,
            AgesMs,
            Values,
            ResolutionMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "metric" => Ok(GeneratedField::Metric),
                            "agesMs" | "ages_ms" => Ok(GeneratedField::AgesMs),
                            "values" => Ok(GeneratedField::Values),
                            "resolutionMs" | "resolution_ms" => Ok(GeneratedField::ResolutionMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = QueryRangeResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.QueryRangeResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<QueryRangeResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut metric__ = None;
                let mut ages_ms__ = None;
                let mut values__ = None;
                let mut resolution_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Metric => {
                            if metric__.is_some() {
                                return Err(serde::de::Error::duplicate_field("metric"));
                            }
                            metric__ = Some(map_.next_value::<Metric>()? as i32);
                        }
                        GeneratedField::AgesMs => {
                            if ages_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("agesMs"));
                            }
                            ages_ms__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::Values => {
                            if values__.is_some() {
                                return Err(serde::de::Error::duplicate_field("values"));
                            }
                            values__ = 
                                Some(map_.next_value::<Vec<::pbjson::private::NumberDeserialize<_>>>()?
                                    .into_iter().map(|x| x.0).collect())
                            ;
                        }
                        GeneratedField::ResolutionMs => {
                            if resolution_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resolutionMs"));
                            }
                            resolution_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(QueryRangeResponse {
                    metric: metric__.unwrap_or_default(),
                    ages_ms: ages_ms__.unwrap_or_default(),
                    values: values__.unwrap_or_default(),
                    resolution_ms: resolution_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.QueryRangeResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Reading {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.metric != 0 {
            len += 1;
        }
        if self.value != 0. {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if self.freshness != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Reading", len)?;
        if self.metric != 0 {
            let v = Metric::try_from(self.metric)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.metric)))?;
            struct_ser.serialize_field("metric", &v)?;
        }
        if self.value != 0. {
            struct_ser.serialize_field("value", &self.value)?;
        }
        if self.age_ms != 0 {
            struct_ser.serialize_field("age_ms", &self.age_ms)?;
        }
        if self.freshness != 0 {
            let v = Freshness::try_from(self.freshness)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.freshness)))?;
            struct_ser.serialize_field("freshness", &v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Reading {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "metric",
            "value",
            "age_ms",
            "ageMs",
            "freshness",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Metric,
            Value,
            AgeMs,
            Freshness,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "metric" => Ok(GeneratedField::Metric),
                            "value" => Ok(GeneratedField::Value),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "freshness" => Ok(GeneratedField::Freshness),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Reading;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Reading")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Reading, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut metric__ = None;
                let mut value__ = None;
                let mut age_ms__ = None;
                let mut freshness__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Metric => {
                            if metric__.is_some() {
                                return Err(serde::de::Error::duplicate_field("metric"));
                            }
                            metric__ = Some(map_.next_value::<Metric>()? as i32);
                        }
                        GeneratedField::Value => {
                            if value__.is_some() {
                                return Err(serde::de::Error::duplicate_field("value"));
                            }
                            value__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Freshness => {
                            if freshness__.is_some() {
                                return Err(serde::de::Error::duplicate_field("freshness"));
                            }
                            freshness__ = Some(map_.next_value::<Freshness>()? as i32);
                        }
                    }
                }
                Ok(Reading {
                    metric: metric__.unwrap_or_default(),
                    value: value__.unwrap_or_default(),
                    age_ms: age_ms__.unwrap_or_default(),
                    freshness: freshness__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Reading", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ReleaseRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.scope.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ReleaseRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.scope.is_empty() {
            struct_ser.serialize_field("scope", &self.scope)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ReleaseRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "scope",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Scope,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "scope" => Ok(GeneratedField::Scope),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ReleaseRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ReleaseRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ReleaseRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut scope__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Scope => {
                            if scope__.is_some() {
                                return Err(serde::de::Error::duplicate_field("scope"));
                            }
                            scope__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(ReleaseRequest {
                    order: order__,
                    scope: scope__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ReleaseRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Removed {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.kind != 0 {
            len += 1;
        }
        if !self.name.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Removed", len)?;
        if self.kind != 0 {
            let v = Kind::try_from(self.kind)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.kind)))?;
            struct_ser.serialize_field("kind", &v)?;
        }
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Removed {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kind",
            "name",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kind,
            Name,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kind" => Ok(GeneratedField::Kind),
                            "name" => Ok(GeneratedField::Name),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Removed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Removed")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Removed, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kind__ = None;
                let mut name__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kind => {
                            if kind__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kind"));
                            }
                            kind__ = Some(map_.next_value::<Kind>()? as i32);
                        }
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Removed {
                    kind: kind__.unwrap_or_default(),
                    name: name__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Removed", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Seen {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.time.is_empty() {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.evidence.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Seen", len)?;
        if !self.time.is_empty() {
            struct_ser.serialize_field("time", &self.time)?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.evidence.is_empty() {
            struct_ser.serialize_field("evidence", &self.evidence)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Seen {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "time",
            "verdict",
            "evidence",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Time,
            Verdict,
            Evidence,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "time" => Ok(GeneratedField::Time),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "evidence" => Ok(GeneratedField::Evidence),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Seen;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Seen")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Seen, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut time__ = None;
                let mut verdict__ = None;
                let mut evidence__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Time => {
                            if time__.is_some() {
                                return Err(serde::de::Error::duplicate_field("time"));
                            }
                            time__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::Evidence => {
                            if evidence__.is_some() {
                                return Err(serde::de::Error::duplicate_field("evidence"));
                            }
                            evidence__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Seen {
                    time: time__.unwrap_or_default(),
                    verdict: verdict__.unwrap_or_default(),
                    evidence: evidence__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Seen", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Severity {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "SEVERITY_UNSPECIFIED",
            Self::Info => "SEVERITY_INFO",
            Self::Warning => "SEVERITY_WARNING",
            Self::Critical => "SEVERITY_CRITICAL",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Severity {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "SEVERITY_UNSPECIFIED",
            "SEVERITY_INFO",
            "SEVERITY_WARNING",
            "SEVERITY_CRITICAL",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Severity;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "SEVERITY_UNSPECIFIED" => Ok(Severity::Unspecified),
                    "SEVERITY_INFO" => Ok(Severity::Info),
                    "SEVERITY_WARNING" => Ok(Severity::Warning),
                    "SEVERITY_CRITICAL" => Ok(Severity::Critical),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Signals {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.requests_running.is_some() {
            len += 1;
        }
        if self.requests_waiting.is_some() {
            len += 1;
        }
        if self.kv_cache_usage.is_some() {
            len += 1;
        }
        if self.ttft_p95_seconds.is_some() {
            len += 1;
        }
        if self.itl_p95_seconds.is_some() {
            len += 1;
        }
        if self.generation_tokens_per_second.is_some() {
            len += 1;
        }
        if self.prompt_tokens_per_second.is_some() {
            len += 1;
        }
        if self.requests_per_second.is_some() {
            len += 1;
        }
        if self.errors_per_second.is_some() {
            len += 1;
        }
        if self.gpu_utilization_percent.is_some() {
            len += 1;
        }
        if self.gpu_memory_used_bytes.is_some() {
            len += 1;
        }
        if self.gpu_memory_total_bytes.is_some() {
            len += 1;
        }
        if self.gpu_power_watts.is_some() {
            len += 1;
        }
        if self.age_ms != 0 {
            len += 1;
        }
        if self.coverage != 0. {
            len += 1;
        }
        if self.freshness != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Signals", len)?;
        if let Some(v) = self.requests_running.as_ref() {
            struct_ser.serialize_field("requests_running", v)?;
        }
        if let Some(v) = self.requests_waiting.as_ref() {
            struct_ser.serialize_field("requests_waiting", v)?;
        }
        if let Some(v) = self.kv_cache_usage.as_ref() {
            struct_ser.serialize_field("kv_cache_usage", v)?;
        }
        if let Some(v) = self.ttft_p95_seconds.as_ref() {
            struct_ser.serialize_field("ttft_p95_seconds", v)?;
        }
        if let Some(v) = self.itl_p95_seconds.as_ref() {
            struct_ser.serialize_field("itl_p95_seconds", v)?;
        }
        if let Some(v) = self.generation_tokens_per_second.as_ref() {
            struct_ser.serialize_field("generation_tokens_per_second", v)?;
        }
        if let Some(v) = self.prompt_tokens_per_second.as_ref() {
            struct_ser.serialize_field("prompt_tokens_per_second", v)?;
        }
        if let Some(v) = self.requests_per_second.as_ref() {
            struct_ser.serialize_field("requests_per_second", v)?;
        }
        if let Some(v) = self.errors_per_second.as_ref() {
            struct_ser.serialize_field("errors_per_second", v)?;
        }
        if let Some(v) = self.gpu_utilization_percent.as_ref() {
            struct_ser.serialize_field("gpu_utilization_percent", v)?;
        }
        if let Some(v) = self.gpu_memory_used_bytes.as_ref() {
            struct_ser.serialize_field("gpu_memory_used_bytes", v)?;
        }
        if let Some(v) = self.gpu_memory_total_bytes.as_ref() {
            struct_ser.serialize_field("gpu_memory_total_bytes", v)?;
        }
        if let Some(v) = self.gpu_power_watts.as_ref() {
            struct_ser.serialize_field("gpu_power_watts", v)?;
        }
        if self.age_ms != 0 {
            struct_ser.serialize_field("age_ms", &self.age_ms)?;
        }
        if self.coverage != 0. {
            struct_ser.serialize_field("coverage", &self.coverage)?;
        }
        if self.freshness != 0 {
            let v = Freshness::try_from(self.freshness)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.freshness)))?;
            struct_ser.serialize_field("freshness", &v)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Signals {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "requests_running",
            "requestsRunning",
            "requests_waiting",
            "requestsWaiting",
            "kv_cache_usage",
            "kvCacheUsage",
            "ttft_p95_seconds",
            "ttftP95Seconds",
            "itl_p95_seconds",
            "itlP95Seconds",
            "generation_tokens_per_second",
            "generationTokensPerSecond",
            "prompt_tokens_per_second",
            "promptTokensPerSecond",
            "requests_per_second",
            "requestsPerSecond",
            "errors_per_second",
            "errorsPerSecond",
            "gpu_utilization_percent",
            "gpuUtilizationPercent",
            "gpu_memory_used_bytes",
            "gpuMemoryUsedBytes",
            "gpu_memory_total_bytes",
            "gpuMemoryTotalBytes",
            "gpu_power_watts",
            "gpuPowerWatts",
            "age_ms",
            "ageMs",
            "coverage",
            "freshness",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            RequestsRunning,
            RequestsWaiting,
            KvCacheUsage,
            TtftP95Seconds,
            ItlP95Seconds,
            GenerationTokensPerSecond,
            PromptTokensPerSecond,
            RequestsPerSecond,
            ErrorsPerSecond,
            GpuUtilizationPercent,
            GpuMemoryUsedBytes,
            GpuMemoryTotalBytes,
            GpuPowerWatts,
            AgeMs,
            Coverage,
            Freshness,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "requestsRunning" | "requests_running" => Ok(GeneratedField::RequestsRunning),
                            "requestsWaiting" | "requests_waiting" => Ok(GeneratedField::RequestsWaiting),
                            "kvCacheUsage" | "kv_cache_usage" => Ok(GeneratedField::KvCacheUsage),
                            "ttftP95Seconds" | "ttft_p95_seconds" => Ok(GeneratedField::TtftP95Seconds),
                            "itlP95Seconds" | "itl_p95_seconds" => Ok(GeneratedField::ItlP95Seconds),
                            "generationTokensPerSecond" | "generation_tokens_per_second" => Ok(GeneratedField::GenerationTokensPerSecond),
                            "promptTokensPerSecond" | "prompt_tokens_per_second" => Ok(GeneratedField::PromptTokensPerSecond),
                            "requestsPerSecond" | "requests_per_second" => Ok(GeneratedField::RequestsPerSecond),
                            "errorsPerSecond" | "errors_per_second" => Ok(GeneratedField::ErrorsPerSecond),
                            "gpuUtilizationPercent" | "gpu_utilization_percent" => Ok(GeneratedField::GpuUtilizationPercent),
                            "gpuMemoryUsedBytes" | "gpu_memory_used_bytes" => Ok(GeneratedField::GpuMemoryUsedBytes),
                            "gpuMemoryTotalBytes" | "gpu_memory_total_bytes" => Ok(GeneratedField::GpuMemoryTotalBytes),
                            "gpuPowerWatts" | "gpu_power_watts" => Ok(GeneratedField::GpuPowerWatts),
                            "ageMs" | "age_ms" => Ok(GeneratedField::AgeMs),
                            "coverage" => Ok(GeneratedField::Coverage),
                            "freshness" => Ok(GeneratedField::Freshness),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Signals;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Signals")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Signals, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut requests_running__ = None;
                let mut requests_waiting__ = None;
                let mut kv_cache_usage__ = None;
                let mut ttft_p95_seconds__ = None;
                let mut itl_p95_seconds__ = None;
                let mut generation_tokens_per_second__ = None;
                let mut prompt_tokens_per_second__ = None;
                let mut requests_per_second__ = None;
                let mut errors_per_second__ = None;
                let mut gpu_utilization_percent__ = None;
                let mut gpu_memory_used_bytes__ = None;
                let mut gpu_memory_total_bytes__ = None;
                let mut gpu_power_watts__ = None;
                let mut age_ms__ = None;
                let mut coverage__ = None;
                let mut freshness__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::RequestsRunning => {
                            if requests_running__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsRunning"));
                            }
                            requests_running__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RequestsWaiting => {
                            if requests_waiting__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsWaiting"));
                            }
                            requests_waiting__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::KvCacheUsage => {
                            if kv_cache_usage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kvCacheUsage"));
                            }
                            kv_cache_usage__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::TtftP95Seconds => {
                            if ttft_p95_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ttftP95Seconds"));
                            }
                            ttft_p95_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::ItlP95Seconds => {
                            if itl_p95_seconds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("itlP95Seconds"));
                            }
                            itl_p95_seconds__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GenerationTokensPerSecond => {
                            if generation_tokens_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("generationTokensPerSecond"));
                            }
                            generation_tokens_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::PromptTokensPerSecond => {
                            if prompt_tokens_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("promptTokensPerSecond"));
                            }
                            prompt_tokens_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::RequestsPerSecond => {
                            if requests_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("requestsPerSecond"));
                            }
                            requests_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::ErrorsPerSecond => {
                            if errors_per_second__.is_some() {
                                return Err(serde::de::Error::duplicate_field("errorsPerSecond"));
                            }
                            errors_per_second__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuUtilizationPercent => {
                            if gpu_utilization_percent__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuUtilizationPercent"));
                            }
                            gpu_utilization_percent__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuMemoryUsedBytes => {
                            if gpu_memory_used_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuMemoryUsedBytes"));
                            }
                            gpu_memory_used_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuMemoryTotalBytes => {
                            if gpu_memory_total_bytes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuMemoryTotalBytes"));
                            }
                            gpu_memory_total_bytes__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::GpuPowerWatts => {
                            if gpu_power_watts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("gpuPowerWatts"));
                            }
                            gpu_power_watts__ = 
                                map_.next_value::<::std::option::Option<::pbjson::private::NumberDeserialize<_>>>()?.map(|x| x.0)
                            ;
                        }
                        GeneratedField::AgeMs => {
                            if age_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("ageMs"));
                            }
                            age_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Coverage => {
                            if coverage__.is_some() {
                                return Err(serde::de::Error::duplicate_field("coverage"));
                            }
                            coverage__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Freshness => {
                            if freshness__.is_some() {
                                return Err(serde::de::Error::duplicate_field("freshness"));
                            }
                            freshness__ = Some(map_.next_value::<Freshness>()? as i32);
                        }
                    }
                }
                Ok(Signals {
                    requests_running: requests_running__,
                    requests_waiting: requests_waiting__,
                    kv_cache_usage: kv_cache_usage__,
                    ttft_p95_seconds: ttft_p95_seconds__,
                    itl_p95_seconds: itl_p95_seconds__,
                    generation_tokens_per_second: generation_tokens_per_second__,
                    prompt_tokens_per_second: prompt_tokens_per_second__,
                    requests_per_second: requests_per_second__,
                    errors_per_second: errors_per_second__,
                    gpu_utilization_percent: gpu_utilization_percent__,
                    gpu_memory_used_bytes: gpu_memory_used_bytes__,
                    gpu_memory_total_bytes: gpu_memory_total_bytes__,
                    gpu_power_watts: gpu_power_watts__,
                    age_ms: age_ms__.unwrap_or_default(),
                    coverage: coverage__.unwrap_or_default(),
                    freshness: freshness__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Signals", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for SourceState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "SOURCE_STATE_UNSPECIFIED",
            Self::Ok => "SOURCE_STATE_OK",
            Self::Degraded => "SOURCE_STATE_DEGRADED",
            Self::Hung => "SOURCE_STATE_HUNG",
            Self::Absent => "SOURCE_STATE_ABSENT",
            Self::Failed => "SOURCE_STATE_FAILED",
            Self::Released => "SOURCE_STATE_RELEASED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for SourceState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "SOURCE_STATE_UNSPECIFIED",
            "SOURCE_STATE_OK",
            "SOURCE_STATE_DEGRADED",
            "SOURCE_STATE_HUNG",
            "SOURCE_STATE_ABSENT",
            "SOURCE_STATE_FAILED",
            "SOURCE_STATE_RELEASED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = SourceState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "SOURCE_STATE_UNSPECIFIED" => Ok(SourceState::Unspecified),
                    "SOURCE_STATE_OK" => Ok(SourceState::Ok),
                    "SOURCE_STATE_DEGRADED" => Ok(SourceState::Degraded),
                    "SOURCE_STATE_HUNG" => Ok(SourceState::Hung),
                    "SOURCE_STATE_ABSENT" => Ok(SourceState::Absent),
                    "SOURCE_STATE_FAILED" => Ok(SourceState::Failed),
                    "SOURCE_STATE_RELEASED" => Ok(SourceState::Released),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for SourceStatus {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if !self.detail.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.SourceStatus", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if self.state != 0 {
            let v = SourceState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if !self.detail.is_empty() {
            struct_ser.serialize_field("detail", &self.detail)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for SourceStatus {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "state",
            "detail",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            State,
            Detail,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "state" => Ok(GeneratedField::State),
                            "detail" => Ok(GeneratedField::Detail),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = SourceStatus;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.SourceStatus")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<SourceStatus, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut state__ = None;
                let mut detail__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<SourceState>()? as i32);
                        }
                        GeneratedField::Detail => {
                            if detail__.is_some() {
                                return Err(serde::de::Error::duplicate_field("detail"));
                            }
                            detail__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(SourceStatus {
                    name: name__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    detail: detail__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.SourceStatus", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for StartDrillRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.scenario.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.StartDrillRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.scenario.is_empty() {
            struct_ser.serialize_field("scenario", &self.scenario)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for StartDrillRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "scenario",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Scenario,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "scenario" => Ok(GeneratedField::Scenario),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = StartDrillRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.StartDrillRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<StartDrillRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut scenario__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Scenario => {
                            if scenario__.is_some() {
                                return Err(serde::de::Error::duplicate_field("scenario"));
                            }
                            scenario__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(StartDrillRequest {
                    order: order__,
                    scenario: scenario__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.StartDrillRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for UndrainRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.order.is_some() {
            len += 1;
        }
        if !self.target.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.UndrainRequest", len)?;
        if let Some(v) = self.order.as_ref() {
            struct_ser.serialize_field("order", v)?;
        }
        if !self.target.is_empty() {
            struct_ser.serialize_field("target", &self.target)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for UndrainRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "order",
            "target",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Order,
            Target,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "order" => Ok(GeneratedField::Order),
                            "target" => Ok(GeneratedField::Target),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = UndrainRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.UndrainRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<UndrainRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut order__ = None;
                let mut target__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Order => {
                            if order__.is_some() {
                                return Err(serde::de::Error::duplicate_field("order"));
                            }
                            order__ = map_.next_value()?;
                        }
                        GeneratedField::Target => {
                            if target__.is_some() {
                                return Err(serde::de::Error::duplicate_field("target"));
                            }
                            target__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(UndrainRequest {
                    order: order__,
                    target: target__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.UndrainRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Verdict {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "VERDICT_UNSPECIFIED",
            Self::Healthy => "VERDICT_HEALTHY",
            Self::Left => "VERDICT_LEFT",
            Self::ObserverIsolated => "VERDICT_OBSERVER_ISOLATED",
            Self::GlobalFreeze => "VERDICT_GLOBAL_FREEZE",
            Self::ZonePartition => "VERDICT_ZONE_PARTITION",
            Self::ZoneDown => "VERDICT_ZONE_DOWN",
            Self::NodeDead => "VERDICT_NODE_DEAD",
            Self::NodeUnreachable => "VERDICT_NODE_UNREACHABLE",
            Self::NodeSuspect => "VERDICT_NODE_SUSPECT",
            Self::AgentDown => "VERDICT_AGENT_DOWN",
            Self::StreamBroken => "VERDICT_STREAM_BROKEN",
            Self::Flapping => "VERDICT_FLAPPING",
            Self::GpuLost => "VERDICT_GPU_LOST",
            Self::GpuHung => "VERDICT_GPU_HUNG",
            Self::GpuDegraded => "VERDICT_GPU_DEGRADED",
            Self::EngineStalled => "VERDICT_ENGINE_STALLED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for Verdict {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "VERDICT_UNSPECIFIED",
            "VERDICT_HEALTHY",
            "VERDICT_LEFT",
            "VERDICT_OBSERVER_ISOLATED",
            "VERDICT_GLOBAL_FREEZE",
            "VERDICT_ZONE_PARTITION",
            "VERDICT_ZONE_DOWN",
            "VERDICT_NODE_DEAD",
            "VERDICT_NODE_UNREACHABLE",
            "VERDICT_NODE_SUSPECT",
            "VERDICT_AGENT_DOWN",
            "VERDICT_STREAM_BROKEN",
            "VERDICT_FLAPPING",
            "VERDICT_GPU_LOST",
            "VERDICT_GPU_HUNG",
            "VERDICT_GPU_DEGRADED",
            "VERDICT_ENGINE_STALLED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = Verdict;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "VERDICT_UNSPECIFIED" => Ok(Verdict::Unspecified),
                    "VERDICT_HEALTHY" => Ok(Verdict::Healthy),
                    "VERDICT_LEFT" => Ok(Verdict::Left),
                    "VERDICT_OBSERVER_ISOLATED" => Ok(Verdict::ObserverIsolated),
                    "VERDICT_GLOBAL_FREEZE" => Ok(Verdict::GlobalFreeze),
                    "VERDICT_ZONE_PARTITION" => Ok(Verdict::ZonePartition),
                    "VERDICT_ZONE_DOWN" => Ok(Verdict::ZoneDown),
                    "VERDICT_NODE_DEAD" => Ok(Verdict::NodeDead),
                    "VERDICT_NODE_UNREACHABLE" => Ok(Verdict::NodeUnreachable),
                    "VERDICT_NODE_SUSPECT" => Ok(Verdict::NodeSuspect),
                    "VERDICT_AGENT_DOWN" => Ok(Verdict::AgentDown),
                    "VERDICT_STREAM_BROKEN" => Ok(Verdict::StreamBroken),
                    "VERDICT_FLAPPING" => Ok(Verdict::Flapping),
                    "VERDICT_GPU_LOST" => Ok(Verdict::GpuLost),
                    "VERDICT_GPU_HUNG" => Ok(Verdict::GpuHung),
                    "VERDICT_GPU_DEGRADED" => Ok(Verdict::GpuDegraded),
                    "VERDICT_ENGINE_STALLED" => Ok(Verdict::EngineStalled),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Veto {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.brake.is_empty() {
            len += 1;
        }
        if !self.reason.is_empty() {
            len += 1;
        }
        if !self.since.is_empty() {
            len += 1;
        }
        if !self.last.is_empty() {
            len += 1;
        }
        if self.count != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Veto", len)?;
        if !self.brake.is_empty() {
            struct_ser.serialize_field("brake", &self.brake)?;
        }
        if !self.reason.is_empty() {
            struct_ser.serialize_field("reason", &self.reason)?;
        }
        if !self.since.is_empty() {
            struct_ser.serialize_field("since", &self.since)?;
        }
        if !self.last.is_empty() {
            struct_ser.serialize_field("last", &self.last)?;
        }
        if self.count != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("count", ToString::to_string(&self.count).as_str())?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Veto {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "brake",
            "reason",
            "since",
            "last",
            "count",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Brake,
            Reason,
            Since,
            Last,
            Count,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "brake" => Ok(GeneratedField::Brake),
                            "reason" => Ok(GeneratedField::Reason),
                            "since" => Ok(GeneratedField::Since),
                            "last" => Ok(GeneratedField::Last),
                            "count" => Ok(GeneratedField::Count),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Veto;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Veto")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Veto, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut brake__ = None;
                let mut reason__ = None;
                let mut since__ = None;
                let mut last__ = None;
                let mut count__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Brake => {
                            if brake__.is_some() {
                                return Err(serde::de::Error::duplicate_field("brake"));
                            }
                            brake__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reason => {
                            if reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reason"));
                            }
                            reason__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Since => {
                            if since__.is_some() {
                                return Err(serde::de::Error::duplicate_field("since"));
                            }
                            since__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Last => {
                            if last__.is_some() {
                                return Err(serde::de::Error::duplicate_field("last"));
                            }
                            last__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Count => {
                            if count__.is_some() {
                                return Err(serde::de::Error::duplicate_field("count"));
                            }
                            count__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Veto {
                    brake: brake__.unwrap_or_default(),
                    reason: reason__.unwrap_or_default(),
                    since: since__.unwrap_or_default(),
                    last: last__.unwrap_or_default(),
                    count: count__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Veto", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WatchRequest {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.kinds.is_empty() {
            len += 1;
        }
        if !self.filter.is_empty() {
            len += 1;
        }
        if self.field_mask.is_some() {
            len += 1;
        }
        if self.resume_revision != 0 {
            len += 1;
        }
        if !self.resume_epoch.is_empty() {
            len += 1;
        }
        if self.interval_ms != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.WatchRequest", len)?;
        if !self.kinds.is_empty() {
            let v = self.kinds.iter().cloned().map(|v| {
                Kind::try_from(v)
                    .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", v)))
                }).collect::<std::result::Result<Vec<_>, _>>()?;
            struct_ser.serialize_field("kinds", &v)?;
        }
        if !self.filter.is_empty() {
            struct_ser.serialize_field("filter", &self.filter)?;
        }
        if let Some(v) = self.field_mask.as_ref() {
            struct_ser.serialize_field("field_mask", v)?;
        }
        if self.resume_revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("resume_revision", ToString::to_string(&self.resume_revision).as_str())?;
        }
        if !self.resume_epoch.is_empty() {
            struct_ser.serialize_field("resume_epoch", &self.resume_epoch)?;
        }
        if self.interval_ms != 0 {
            struct_ser.serialize_field("interval_ms", &self.interval_ms)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WatchRequest {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "kinds",
            "filter",
            "field_mask",
            "fieldMask",
            "resume_revision",
            "resumeRevision",
            "resume_epoch",
            "resumeEpoch",
            "interval_ms",
            "intervalMs",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Kinds,
            Filter,
            FieldMask,
            ResumeRevision,
            ResumeEpoch,
            IntervalMs,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "kinds" => Ok(GeneratedField::Kinds),
                            "filter" => Ok(GeneratedField::Filter),
                            "fieldMask" | "field_mask" => Ok(GeneratedField::FieldMask),
                            "resumeRevision" | "resume_revision" => Ok(GeneratedField::ResumeRevision),
                            "resumeEpoch" | "resume_epoch" => Ok(GeneratedField::ResumeEpoch),
                            "intervalMs" | "interval_ms" => Ok(GeneratedField::IntervalMs),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WatchRequest;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.WatchRequest")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WatchRequest, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut kinds__ = None;
                let mut filter__ = None;
                let mut field_mask__ = None;
                let mut resume_revision__ = None;
                let mut resume_epoch__ = None;
                let mut interval_ms__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Kinds => {
                            if kinds__.is_some() {
                                return Err(serde::de::Error::duplicate_field("kinds"));
                            }
                            kinds__ = Some(map_.next_value::<Vec<Kind>>()?.into_iter().map(|x| x as i32).collect());
                        }
                        GeneratedField::Filter => {
                            if filter__.is_some() {
                                return Err(serde::de::Error::duplicate_field("filter"));
                            }
                            filter__ = Some(map_.next_value()?);
                        }
                        GeneratedField::FieldMask => {
                            if field_mask__.is_some() {
                                return Err(serde::de::Error::duplicate_field("fieldMask"));
                            }
                            field_mask__ = map_.next_value()?;
                        }
                        GeneratedField::ResumeRevision => {
                            if resume_revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resumeRevision"));
                            }
                            resume_revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::ResumeEpoch => {
                            if resume_epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("resumeEpoch"));
                            }
                            resume_epoch__ = Some(map_.next_value()?);
                        }
                        GeneratedField::IntervalMs => {
                            if interval_ms__.is_some() {
                                return Err(serde::de::Error::duplicate_field("intervalMs"));
                            }
                            interval_ms__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(WatchRequest {
                    kinds: kinds__.unwrap_or_default(),
                    filter: filter__.unwrap_or_default(),
                    field_mask: field_mask__,
                    resume_revision: resume_revision__.unwrap_or_default(),
                    resume_epoch: resume_epoch__.unwrap_or_default(),
                    interval_ms: interval_ms__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.WatchRequest", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WatchResponse {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if self.revision != 0 {
            len += 1;
        }
        if !self.epoch.is_empty() {
            len += 1;
        }
        if self.reset {
            len += 1;
        }
        if self.synced {
            len += 1;
        }
        if !self.changes.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.WatchResponse", len)?;
        if self.revision != 0 {
            #[allow(clippy::needless_borrow)]
            #[allow(clippy::needless_borrows_for_generic_args)]
            struct_ser.serialize_field("revision", ToString::to_string(&self.revision).as_str())?;
        }
        if !self.epoch.is_empty() {
            struct_ser.serialize_field("epoch", &self.epoch)?;
        }
        if self.reset {
            struct_ser.serialize_field("reset", &self.reset)?;
        }
        if self.synced {
            struct_ser.serialize_field("synced", &self.synced)?;
        }
        if !self.changes.is_empty() {
            struct_ser.serialize_field("changes", &self.changes)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for WatchResponse {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "revision",
            "epoch",
            "reset",
            "synced",
            "changes",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Revision,
            Epoch,
            Reset,
            Synced,
            Changes,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "revision" => Ok(GeneratedField::Revision),
                            "epoch" => Ok(GeneratedField::Epoch),
                            "reset" => Ok(GeneratedField::Reset),
                            "synced" => Ok(GeneratedField::Synced),
                            "changes" => Ok(GeneratedField::Changes),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = WatchResponse;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.WatchResponse")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<WatchResponse, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut revision__ = None;
                let mut epoch__ = None;
                let mut reset__ = None;
                let mut synced__ = None;
                let mut changes__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Revision => {
                            if revision__.is_some() {
                                return Err(serde::de::Error::duplicate_field("revision"));
                            }
                            revision__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::Epoch => {
                            if epoch__.is_some() {
                                return Err(serde::de::Error::duplicate_field("epoch"));
                            }
                            epoch__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Reset => {
                            if reset__.is_some() {
                                return Err(serde::de::Error::duplicate_field("reset"));
                            }
                            reset__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Synced => {
                            if synced__.is_some() {
                                return Err(serde::de::Error::duplicate_field("synced"));
                            }
                            synced__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Changes => {
                            if changes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("changes"));
                            }
                            changes__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(WatchResponse {
                    revision: revision__.unwrap_or_default(),
                    epoch: epoch__.unwrap_or_default(),
                    reset: reset__.unwrap_or_default(),
                    synced: synced__.unwrap_or_default(),
                    changes: changes__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.WatchResponse", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for Wish {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.verb.is_empty() {
            len += 1;
        }
        if !self.target.is_empty() {
            len += 1;
        }
        if self.action_class != 0 {
            len += 1;
        }
        if self.mode != 0 {
            len += 1;
        }
        if self.state != 0 {
            len += 1;
        }
        if self.veto.is_some() {
            len += 1;
        }
        if !self.detail.is_empty() {
            len += 1;
        }
        if !self.action.is_empty() {
            len += 1;
        }
        if self.tries != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Wish", len)?;
        if !self.verb.is_empty() {
            struct_ser.serialize_field("verb", &self.verb)?;
        }
        if !self.target.is_empty() {
            struct_ser.serialize_field("target", &self.target)?;
        }
        if self.action_class != 0 {
            let v = ActionClass::try_from(self.action_class)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.action_class)))?;
            struct_ser.serialize_field("action_class", &v)?;
        }
        if self.mode != 0 {
            let v = ActionMode::try_from(self.mode)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.mode)))?;
            struct_ser.serialize_field("mode", &v)?;
        }
        if self.state != 0 {
            let v = WishState::try_from(self.state)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.state)))?;
            struct_ser.serialize_field("state", &v)?;
        }
        if let Some(v) = self.veto.as_ref() {
            struct_ser.serialize_field("veto", v)?;
        }
        if !self.detail.is_empty() {
            struct_ser.serialize_field("detail", &self.detail)?;
        }
        if !self.action.is_empty() {
            struct_ser.serialize_field("action", &self.action)?;
        }
        if self.tries != 0 {
            struct_ser.serialize_field("tries", &self.tries)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Wish {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "verb",
            "target",
            "action_class",
            "actionClass",
            "mode",
            "state",
            "veto",
            "detail",
            "action",
            "tries",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Verb,
            Target,
            ActionClass,
            Mode,
            State,
            Veto,
            Detail,
            Action,
            Tries,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "verb" => Ok(GeneratedField::Verb),
                            "target" => Ok(GeneratedField::Target),
                            "actionClass" | "action_class" => Ok(GeneratedField::ActionClass),
                            "mode" => Ok(GeneratedField::Mode),
                            "state" => Ok(GeneratedField::State),
                            "veto" => Ok(GeneratedField::Veto),
                            "detail" => Ok(GeneratedField::Detail),
                            "action" => Ok(GeneratedField::Action),
                            "tries" => Ok(GeneratedField::Tries),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Wish;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Wish")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Wish, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut verb__ = None;
                let mut target__ = None;
                let mut action_class__ = None;
                let mut mode__ = None;
                let mut state__ = None;
                let mut veto__ = None;
                let mut detail__ = None;
                let mut action__ = None;
                let mut tries__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Verb => {
                            if verb__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verb"));
                            }
                            verb__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Target => {
                            if target__.is_some() {
                                return Err(serde::de::Error::duplicate_field("target"));
                            }
                            target__ = Some(map_.next_value()?);
                        }
                        GeneratedField::ActionClass => {
                            if action_class__.is_some() {
                                return Err(serde::de::Error::duplicate_field("actionClass"));
                            }
                            action_class__ = Some(map_.next_value::<ActionClass>()? as i32);
                        }
                        GeneratedField::Mode => {
                            if mode__.is_some() {
                                return Err(serde::de::Error::duplicate_field("mode"));
                            }
                            mode__ = Some(map_.next_value::<ActionMode>()? as i32);
                        }
                        GeneratedField::State => {
                            if state__.is_some() {
                                return Err(serde::de::Error::duplicate_field("state"));
                            }
                            state__ = Some(map_.next_value::<WishState>()? as i32);
                        }
                        GeneratedField::Veto => {
                            if veto__.is_some() {
                                return Err(serde::de::Error::duplicate_field("veto"));
                            }
                            veto__ = map_.next_value()?;
                        }
                        GeneratedField::Detail => {
                            if detail__.is_some() {
                                return Err(serde::de::Error::duplicate_field("detail"));
                            }
                            detail__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Action => {
                            if action__.is_some() {
                                return Err(serde::de::Error::duplicate_field("action"));
                            }
                            action__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Tries => {
                            if tries__.is_some() {
                                return Err(serde::de::Error::duplicate_field("tries"));
                            }
                            tries__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(Wish {
                    verb: verb__.unwrap_or_default(),
                    target: target__.unwrap_or_default(),
                    action_class: action_class__.unwrap_or_default(),
                    mode: mode__.unwrap_or_default(),
                    state: state__.unwrap_or_default(),
                    veto: veto__,
                    detail: detail__.unwrap_or_default(),
                    action: action__.unwrap_or_default(),
                    tries: tries__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Wish", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for WishState {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        let variant = match self {
            Self::Unspecified => "WISH_STATE_UNSPECIFIED",
            Self::Waits => "WISH_STATE_WAITS",
            Self::Begun => "WISH_STATE_BEGUN",
            Self::Done => "WISH_STATE_DONE",
            Self::Failed => "WISH_STATE_FAILED",
            Self::Dropped => "WISH_STATE_DROPPED",
        };
        serializer.serialize_str(variant)
    }
}
impl<'de> serde::Deserialize<'de> for WishState {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "WISH_STATE_UNSPECIFIED",
            "WISH_STATE_WAITS",
            "WISH_STATE_BEGUN",
            "WISH_STATE_DONE",
            "WISH_STATE_FAILED",
            "WISH_STATE_DROPPED",
        ];

        struct GeneratedVisitor;

        impl serde::de::Visitor<'_> for GeneratedVisitor {
            type Value = WishState;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "expected one of: {:?}", &FIELDS)
            }

            fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Signed(v), &self)
                    })
            }

            fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                i32::try_from(v)
                    .ok()
                    .and_then(|x| x.try_into().ok())
                    .ok_or_else(|| {
                        serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(v), &self)
                    })
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Self::Value, E>
            where
                E: serde::de::Error,
            {
                match value {
                    "WISH_STATE_UNSPECIFIED" => Ok(WishState::Unspecified),
                    "WISH_STATE_WAITS" => Ok(WishState::Waits),
                    "WISH_STATE_BEGUN" => Ok(WishState::Begun),
                    "WISH_STATE_DONE" => Ok(WishState::Done),
                    "WISH_STATE_FAILED" => Ok(WishState::Failed),
                    "WISH_STATE_DROPPED" => Ok(WishState::Dropped),
                    _ => Err(serde::de::Error::unknown_variant(value, FIELDS)),
                }
            }
        }
        deserializer.deserialize_any(GeneratedVisitor)
    }
}
impl serde::Serialize for Zone {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.name.is_empty() {
            len += 1;
        }
        if self.counts.is_some() {
            len += 1;
        }
        if self.signals.is_some() {
            len += 1;
        }
        if self.verdict != 0 {
            len += 1;
        }
        if !self.verdict_reason.is_empty() {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.Zone", len)?;
        if !self.name.is_empty() {
            struct_ser.serialize_field("name", &self.name)?;
        }
        if let Some(v) = self.counts.as_ref() {
            struct_ser.serialize_field("counts", v)?;
        }
        if let Some(v) = self.signals.as_ref() {
            struct_ser.serialize_field("signals", v)?;
        }
        if self.verdict != 0 {
            let v = Verdict::try_from(self.verdict)
                .map_err(|_| serde::ser::Error::custom(format!("Invalid variant {}", self.verdict)))?;
            struct_ser.serialize_field("verdict", &v)?;
        }
        if !self.verdict_reason.is_empty() {
            struct_ser.serialize_field("verdict_reason", &self.verdict_reason)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for Zone {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "name",
            "counts",
            "signals",
            "verdict",
            "verdict_reason",
            "verdictReason",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Name,
            Counts,
            Signals,
            Verdict,
            VerdictReason,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "name" => Ok(GeneratedField::Name),
                            "counts" => Ok(GeneratedField::Counts),
                            "signals" => Ok(GeneratedField::Signals),
                            "verdict" => Ok(GeneratedField::Verdict),
                            "verdictReason" | "verdict_reason" => Ok(GeneratedField::VerdictReason),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = Zone;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.Zone")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<Zone, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut name__ = None;
                let mut counts__ = None;
                let mut signals__ = None;
                let mut verdict__ = None;
                let mut verdict_reason__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Name => {
                            if name__.is_some() {
                                return Err(serde::de::Error::duplicate_field("name"));
                            }
                            name__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Counts => {
                            if counts__.is_some() {
                                return Err(serde::de::Error::duplicate_field("counts"));
                            }
                            counts__ = map_.next_value()?;
                        }
                        GeneratedField::Signals => {
                            if signals__.is_some() {
                                return Err(serde::de::Error::duplicate_field("signals"));
                            }
                            signals__ = map_.next_value()?;
                        }
                        GeneratedField::Verdict => {
                            if verdict__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdict"));
                            }
                            verdict__ = Some(map_.next_value::<Verdict>()? as i32);
                        }
                        GeneratedField::VerdictReason => {
                            if verdict_reason__.is_some() {
                                return Err(serde::de::Error::duplicate_field("verdictReason"));
                            }
                            verdict_reason__ = Some(map_.next_value()?);
                        }
                    }
                }
                Ok(Zone {
                    name: name__.unwrap_or_default(),
                    counts: counts__,
                    signals: signals__,
                    verdict: verdict__.unwrap_or_default(),
                    verdict_reason: verdict_reason__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.Zone", FIELDS, GeneratedVisitor)
    }
}
impl serde::Serialize for ZoneReach {
    #[allow(deprecated)]
    fn serialize<S>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error>
    where
        S: serde::Serializer,
    {
        use serde::ser::SerializeStruct;
        let mut len = 0;
        if !self.zone.is_empty() {
            len += 1;
        }
        if self.nodes != 0 {
            len += 1;
        }
        if self.nodes_reached != 0 {
            len += 1;
        }
        let mut struct_ser = serializer.serialize_struct("ostler.v1.ZoneReach", len)?;
        if !self.zone.is_empty() {
            struct_ser.serialize_field("zone", &self.zone)?;
        }
        if self.nodes != 0 {
            struct_ser.serialize_field("nodes", &self.nodes)?;
        }
        if self.nodes_reached != 0 {
            struct_ser.serialize_field("nodes_reached", &self.nodes_reached)?;
        }
        struct_ser.end()
    }
}
impl<'de> serde::Deserialize<'de> for ZoneReach {
    #[allow(deprecated)]
    fn deserialize<D>(deserializer: D) -> std::result::Result<Self, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        const FIELDS: &[&str] = &[
            "zone",
            "nodes",
            "nodes_reached",
            "nodesReached",
        ];

        #[allow(clippy::enum_variant_names)]
        enum GeneratedField {
            Zone,
            Nodes,
            NodesReached,
        }
        impl<'de> serde::Deserialize<'de> for GeneratedField {
            fn deserialize<D>(deserializer: D) -> std::result::Result<GeneratedField, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                struct GeneratedVisitor;

                impl serde::de::Visitor<'_> for GeneratedVisitor {
                    type Value = GeneratedField;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(formatter, "expected one of: {:?}", &FIELDS)
                    }

                    #[allow(unused_variables)]
                    fn visit_str<E>(self, value: &str) -> std::result::Result<GeneratedField, E>
                    where
                        E: serde::de::Error,
                    {
                        match value {
                            "zone" => Ok(GeneratedField::Zone),
                            "nodes" => Ok(GeneratedField::Nodes),
                            "nodesReached" | "nodes_reached" => Ok(GeneratedField::NodesReached),
                            _ => Err(serde::de::Error::unknown_field(value, FIELDS)),
                        }
                    }
                }
                deserializer.deserialize_identifier(GeneratedVisitor)
            }
        }
        struct GeneratedVisitor;
        impl<'de> serde::de::Visitor<'de> for GeneratedVisitor {
            type Value = ZoneReach;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("struct ostler.v1.ZoneReach")
            }

            fn visit_map<V>(self, mut map_: V) -> std::result::Result<ZoneReach, V::Error>
                where
                    V: serde::de::MapAccess<'de>,
            {
                let mut zone__ = None;
                let mut nodes__ = None;
                let mut nodes_reached__ = None;
                while let Some(k) = map_.next_key()? {
                    match k {
                        GeneratedField::Zone => {
                            if zone__.is_some() {
                                return Err(serde::de::Error::duplicate_field("zone"));
                            }
                            zone__ = Some(map_.next_value()?);
                        }
                        GeneratedField::Nodes => {
                            if nodes__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nodes"));
                            }
                            nodes__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                        GeneratedField::NodesReached => {
                            if nodes_reached__.is_some() {
                                return Err(serde::de::Error::duplicate_field("nodesReached"));
                            }
                            nodes_reached__ = 
                                Some(map_.next_value::<::pbjson::private::NumberDeserialize<_>>()?.0)
                            ;
                        }
                    }
                }
                Ok(ZoneReach {
                    zone: zone__.unwrap_or_default(),
                    nodes: nodes__.unwrap_or_default(),
                    nodes_reached: nodes_reached__.unwrap_or_default(),
                })
            }
        }
        deserializer.deserialize_struct("ostler.v1.ZoneReach", FIELDS, GeneratedVisitor)
    }
}
