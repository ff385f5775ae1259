//! Builds at the registry's door, without builds.

use image_factory::images::registry::{BuildRobot, BuildRobotGate};
use image_factory::kernel::Result;
use image_factory::kernel::ids::ExecutionId;
use std::collections::HashMap;
use std::sync::Mutex;

/// Robots by user name; the password of each is `robot secret`.
#[derive(Default)]
pub struct Robots {
    known: Mutex<HashMap<String, BuildRobot>>,
}

impl Robots {
    pub const PASSWORD: &str = "robot secret";

    pub fn add(&self, username: &str, robot: BuildRobot) {
        self.known.lock().unwrap().insert(username.to_owned(), robot);
    }

    /// The execution ends, or loses its lease.
    pub fn end(&self, execution: ExecutionId) {
        self.known.lock().unwrap().retain(|_, robot| robot.execution != execution);
    }
}

#[async_trait::async_trait]
impl BuildRobotGate for Robots {
    async fn build_robot(&self, username: &str, token: &str) -> Result<Option<BuildRobot>> {
        Ok(self.known.lock().unwrap().get(username).filter(|_| token == Self::PASSWORD).cloned())
    }

    async fn lease_alive(&self, execution: ExecutionId, attempt: i32) -> Result<bool> {
        Ok(self.known.lock().unwrap().values().any(|r| r.execution == execution && r.attempt == attempt))
    }
}
