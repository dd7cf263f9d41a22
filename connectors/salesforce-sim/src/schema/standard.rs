//! The objects an org starts with: a useful subset of the standard ones, with the custom
//! fields that a sync adds to `Account` and `Contact`.

use super::build::{address, long_text, of_type, picklist, reference, text};
use super::features::own_objects;
use super::field::{FieldDef, FieldType};
use super::object::ObjectDef;
use crate::org::value::Value;

/// All objects of a new org.
pub(crate) fn standard_objects() -> Vec<ObjectDef> {
    let mut made = vec![
        organization(),
        user(),
        group(),
        account(),
        contact(),
        lead(),
        opportunity(),
        case(),
        task(),
        project(),
    ];
    made.extend(own_objects().into_iter().map(own_object));
    made
}

/// An object whose rows only the service makes.
fn own_object(
    (name, label, prefix, fields): (&'static str, &'static str, &'static str, Vec<FieldDef>),
) -> ObjectDef {
    let mut made = ObjectDef::new(name, label, &format!("{label}s"), prefix).with(fields);
    made.createable = false;
    made.updateable = false;
    made.deletable = false;
    made.undeletable = false;
    made.replicateable = false;
    made.remove("IsDeleted");
    made
}

/// The org itself: one row, which nobody writes through the API.
fn organization() -> ObjectDef {
    let mut made = ObjectDef::new("Organization", "Organization", "Organizations", "00D").with([
        text("Name", "Name", 80).read_only().name_field(),
        text("OrganizationType", "Edition", 40).read_only(),
        text("InstanceName", "Instance Name", 5).read_only(),
        of_type("IsSandbox", "Is Sandbox", FieldType::Boolean).read_only(),
        text("TimeZoneSidKey", "Time Zone", 40).read_only(),
        text("LanguageLocaleKey", "Language", 40).read_only(),
    ]);
    made.createable = false;
    made.updateable = false;
    made.deletable = false;
    made.undeletable = false;
    made.remove("IsDeleted");
    made
}

fn user() -> ObjectDef {
    let mut made = ObjectDef::new("User", "User", "Users", "005").with([
        text("Username", "Username", 80).require().id_lookup(),
        text("LastName", "Last Name", 80).require().part_of("Name"),
        text("FirstName", "First Name", 40).part_of("Name"),
        text("Name", "Full Name", 121).read_only().require().name_field(),
        of_type("Email", "Email", FieldType::Email).require(),
        text("Alias", "Alias", 8),
        of_type("IsActive", "Active", FieldType::Boolean).default_to(Value::Bool(true)),
        picklist("UserType", "User Type", &["Standard", "AutomatedProcess"]).read_only(),
    ]);
    made.deletable = false;
    made.undeletable = false;
    made.remove("IsDeleted");
    made
}

fn group() -> ObjectDef {
    let mut made = ObjectDef::new("Group", "Group", "Groups", "00G").with([
        text("Name", "Name", 40).require().name_field(),
        picklist("Type", "Type", &["Regular", "Queue"]).default_to(Value::text("Queue")),
    ]);
    made.undeletable = false;
    made.remove("IsDeleted");
    made
}

/// The fields a two-way sync asks an administrator to add: the key it inserts under, the
/// marker of its last write, and a few types of their own.
fn sync_fields() -> Vec<FieldDef> {
    vec![
        text("Syncline_Id__c", "Syncline Id", 36).external_key(true),
        text("Syncline_Marker__c", "Syncline Marker", 80),
        text("Legacy_Key__c", "Legacy Key", 40).external_key(false),
        of_type("Tags__c", "Tags", FieldType::MultiPicklist)
            .values(&["Red", "Green", "Blue", "Gold", "Silver"])
            .restrict(),
        of_type("Score__c", "Score", FieldType::Double).digits(8, 2),
        of_type("Renewal__c", "Renewal", FieldType::Date),
        of_type("Last_Seen__c", "Last Seen", FieldType::DateTime),
        of_type("Opens_At__c", "Opens At", FieldType::Time),
        of_type("Vip__c", "VIP", FieldType::Boolean),
        picklist("Tier__c", "Tier", &["Bronze", "Silver", "Gold"]).restrict(),
        long_text("Notes__c", "Notes", 4000),
    ]
}

fn master_record(object: &str) -> FieldDef {
    reference("MasterRecordId", "Master Record ID", &[object], "MasterRecord").read_only()
}

fn account() -> ObjectDef {
    let mut made = ObjectDef::new("Account", "Account", "Accounts", "001")
        .with([
            master_record("Account"),
            text("Name", "Account Name", 255).require().name_field(),
            picklist("Type", "Account Type", &["Prospect", "Customer", "Partner", "Other"]),
            reference("ParentId", "Parent Account ID", &["Account"], "Parent")
                .children("ChildAccounts", false),
        ])
        .with(address("Billing"))
        .with(address("Shipping"))
        .with([
            of_type("Phone", "Account Phone", FieldType::Phone),
            of_type("Fax", "Account Fax", FieldType::Phone),
            text("AccountNumber", "Account Number", 40),
            of_type("Website", "Website", FieldType::Url),
            picklist("Industry", "Industry", &["Agriculture", "Banking", "Energy", "Technology"]),
            of_type("AnnualRevenue", "Annual Revenue", FieldType::Currency).digits(18, 0),
            of_type("NumberOfEmployees", "Employees", FieldType::Int),
            long_text("Description", "Account Description", 32000),
            picklist("Rating", "Account Rating", &["Hot", "Warm", "Cold"]),
            text("Site", "Account Site", 80),
        ])
        .owned()
        .with(sync_fields());
    made.mergeable = true;
    made
}

fn person_name() -> [FieldDef; 4] {
    [
        text("LastName", "Last Name", 80).require().part_of("Name"),
        text("FirstName", "First Name", 40).part_of("Name"),
        picklist("Salutation", "Salutation", &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof."])
            .part_of("Name"),
        text("Name", "Full Name", 121).read_only().require().name_field(),
    ]
}

fn contact() -> ObjectDef {
    let mut made = ObjectDef::new("Contact", "Contact", "Contacts", "003")
        .with([
            master_record("Contact"),
            reference("AccountId", "Account ID", &["Account"], "Account")
                .children("Contacts", true),
        ])
        .with(person_name())
        .with(address("Mailing"))
        .with([
            of_type("Phone", "Business Phone", FieldType::Phone),
            of_type("MobilePhone", "Mobile Phone", FieldType::Phone),
            of_type("Email", "Email", FieldType::Email).id_lookup(),
            text("Title", "Title", 128),
            text("Department", "Department", 80),
            reference("ReportsToId", "Reports To ID", &["Contact"], "ReportsTo")
                .children("ReportsToContacts", false),
            picklist("LeadSource", "Lead Source", &["Web", "Phone Inquiry", "Other"]),
            of_type("Birthdate", "Birthdate", FieldType::Date),
            long_text("Description", "Contact Description", 32000),
            of_type("DoNotCall", "Do Not Call", FieldType::Boolean),
            of_type("HasOptedOutOfEmail", "Email Opt Out", FieldType::Boolean),
        ])
        .owned()
        .with(sync_fields());
    made.mergeable = true;
    made
}

fn lead() -> ObjectDef {
    let mut made = ObjectDef::new("Lead", "Lead", "Leads", "00Q")
        .with([master_record("Lead")])
        .with(person_name())
        .with([text("Company", "Company", 255).require()])
        .with([
            text("Title", "Title", 128),
            of_type("Phone", "Phone", FieldType::Phone),
            of_type("Email", "Email", FieldType::Email).id_lookup(),
            picklist("Status", "Status", &["Open - Not Contacted", "Working", "Closed"])
                .require()
                .default_to(Value::text("Open - Not Contacted")),
            picklist("LeadSource", "Lead Source", &["Web", "Phone Inquiry", "Other"]),
            long_text("Description", "Description", 32000),
            of_type("IsConverted", "Converted", FieldType::Boolean).read_only(),
        ])
        .owned_by_queues()
        .with([text("Syncline_Id__c", "Syncline Id", 36).external_key(true)])
        .with([text("Syncline_Marker__c", "Syncline Marker", 80)]);
    made.mergeable = true;
    made
}

fn opportunity() -> ObjectDef {
    ObjectDef::new("Opportunity", "Opportunity", "Opportunities", "006")
        .with([
            reference("AccountId", "Account ID", &["Account"], "Account")
                .children("Opportunities", true),
            text("Name", "Name", 120).require().name_field(),
            picklist("StageName", "Stage", &["Prospecting", "Negotiation", "Closed Won"]).require(),
            of_type("Amount", "Amount", FieldType::Currency),
            of_type("Probability", "Probability (%)", FieldType::Percent),
            of_type("CloseDate", "Close Date", FieldType::Date).require(),
            long_text("Description", "Description", 32000),
        ])
        .owned()
        .with([text("Syncline_Id__c", "Syncline Id", 36).external_key(true)])
        .with([text("Syncline_Marker__c", "Syncline Marker", 80)])
}

fn case() -> ObjectDef {
    ObjectDef::new("Case", "Case", "Cases", "500")
        .with([
            text("CaseNumber", "Case Number", 30).auto_number().id_lookup().name_field(),
            reference("ContactId", "Contact ID", &["Contact"], "Contact").children("Cases", false),
            reference("AccountId", "Account ID", &["Account"], "Account").children("Cases", false),
            text("Subject", "Subject", 255),
            long_text("Description", "Description", 32000),
            picklist("Status", "Status", &["New", "Working", "Escalated", "Closed"])
                .default_to(Value::text("New")),
            picklist("Priority", "Priority", &["High", "Medium", "Low"])
                .default_to(Value::text("Medium")),
            picklist("Origin", "Case Origin", &["Phone", "Email", "Web"]),
        ])
        .owned_by_queues()
        .with([text("Syncline_Id__c", "Syncline Id", 36).external_key(true)])
        .with([text("Syncline_Marker__c", "Syncline Marker", 80)])
}

fn task() -> ObjectDef {
    ObjectDef::new("Task", "Task", "Tasks", "00T")
        .with([
            reference("WhoId", "Name ID", &["Contact", "Lead"], "Who").children("Tasks", false),
            reference("WhatId", "Related To ID", &["Account", "Opportunity", "Case"], "What")
                .children("Tasks", false),
            of_type("Subject", "Subject", FieldType::Combobox).name_field(),
            of_type("ActivityDate", "Due Date Only", FieldType::Date),
            picklist("Status", "Status", &["Not Started", "In Progress", "Completed"])
                .require()
                .default_to(Value::text("Not Started")),
            long_text("Description", "Description", 32000),
        ])
        .owned_by_queues()
}

/// A custom object in master-detail under `Account`, with a text name.
fn project() -> ObjectDef {
    let mut parent = reference("Account__c", "Account", &["Account"], "Account__r")
        .children("Projects__r", true)
        .require();
    parent.updateable = false;
    ObjectDef::new("Project__c", "Project", "Projects", "a00").with([
        text("Name", "Project Name", 80).name_field(),
        parent,
        text("Code__c", "Code", 20).external_key(true),
        of_type("Budget__c", "Budget", FieldType::Currency),
        text("Syncline_Id__c", "Syncline Id", 36).external_key(true),
        text("Syncline_Marker__c", "Syncline Marker", 80),
    ])
}
