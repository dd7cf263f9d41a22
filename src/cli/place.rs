//! An entity of a system, as the command line names it.

use syncline_core::mapping::language::{Diagnostic, nearest};
use syncline_sdk::{Connector, Context, EntityName, EntitySchema, ErrorKind, SystemName};

use super::{Installation, Stop};
use crate::installation::{described, no_system};

/// An entity of a system of the settings.
pub(super) struct Place {
    pub(super) system: SystemName,
    pub(super) entity: EntityName,
}

impl Place {
    /// `crm.Account` in its parts.
    ///
    /// # Errors
    /// When it names no entity, or a system that the settings do not.
    pub(super) fn of(installation: &Installation, text: &str) -> Result<Self, Stop> {
        let Some((system, entity)) = text.split_once('.').filter(|(_, entity)| !entity.is_empty())
        else {
            let help = "write a system, a dot and an entity: crm.Account, ops.public.accounts";
            return Err(Stop::found(format!("`{text}` names no entity of a system"), help));
        };
        let name = SystemName::new(system);
        match installation.connectors.contains_key(&name) {
            true => Ok(Self { system: name, entity: EntityName::new(entity) }),
            false => Err(no_system(&installation.settings, system)),
        }
    }

    /// How its system describes it.
    ///
    /// # Errors
    /// When the system gives no answer; when it has no such entity, with the nearest that it has.
    pub(super) async fn describe(
        &self,
        connector: &dyn Connector,
        cx: &Context,
    ) -> Result<EntitySchema, Stop> {
        let answer = connector.describe(cx, &self.entity).await;
        let error = match answer {
            Ok(schema) => return Ok(schema),
            Err(error) => error,
        };
        let mut told = described(&error, &format!("{} of {}", self.entity, self.system));
        if error.kind == ErrorKind::Schema
            && let Some(help) = self.nearest(connector, cx).await
        {
            told = told.help(help);
        }
        Err(Stop::Found(Diagnostic::into(told)))
    }

    /// What may have been meant.
    async fn nearest(&self, connector: &dyn Connector, cx: &Context) -> Option<String> {
        let known = connector.entities(cx).await.ok()?;
        let known = || known.iter().map(|one| one.entity.as_str());
        let near = nearest(self.entity.as_str(), known())?;
        (near != self.entity.as_str()).then(|| {
            let Self { system, .. } = self;
            format!("did you mean `{system}.{near}`? `syncline describe {system}` lists them all")
        })
    }
}
