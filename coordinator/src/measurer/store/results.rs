//! Results and attestations in the store.

use borsh::BorshDeserialize;
use veilpool_protocol::{
    AttestationBytes, EpochId, SubjectBytes,
    api::{RoundResult, SlotResult},
};

use super::{Entry, Outcome, Store, StoreError, json};

impl Store {
    /// Keeps results, all or none; the first result of a slot or round stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let insert = async {
            let mut transaction = self.pool.begin().await?;
            for entry in entries {
                let (sql, number, result) = match &entry.result {
                    Outcome::Slot(result) => (
                        "INSERT OR IGNORE INTO slots VALUES (?, ?, ?, ?)",
                        i64::from(result.slot),
                        json(result),
                    ),
                    Outcome::Round(result) => (
                        "INSERT OR IGNORE INTO rounds VALUES (?, ?, ?, ?)",
                        i64::from(result.round),
                        json(result),
                    ),
                };
                sqlx::query(sql)
                    .bind(entry.epoch.get())
                    .bind(entry.subject.as_bytes().as_slice())
                    .bind(number)
                    .bind(result)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        };
        insert.await.map_err(|error| self.database(error))
    }

    /// All slots' results so far, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn slots(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<Vec<SlotResult>, StoreError> {
        self.results(
            "SELECT result FROM slots WHERE epoch = ? AND subject = ? ORDER BY slot",
            epoch,
            subject,
        )
        .await
    }

    /// All rounds' results so far, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rounds(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<Vec<RoundResult>, StoreError> {
        self.results(
            "SELECT result FROM rounds WHERE epoch = ? AND subject = ? ORDER BY round",
            epoch,
            subject,
        )
        .await
    }

    async fn results<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<Vec<T>, StoreError> {
        let texts: Vec<String> = sqlx::query_scalar(sql)
            .bind(epoch.get())
            .bind(subject.as_bytes().as_slice())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        texts
            .iter()
            .map(|text| serde_json::from_str(text).map_err(|_| self.damaged()))
            .collect()
    }

    /// Keeps an attestation unless there is one; what stands there afterwards is what may be released.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_once(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
        attestation: &AttestationBytes,
    ) -> Result<AttestationBytes, StoreError> {
        let bytes = borsh::to_vec(attestation).map_err(|_| self.damaged())?;
        sqlx::query(
            "UPDATE listings SET attestation = ? WHERE epoch = ? AND subject = ? AND attestation IS NULL",
        )
        .bind(bytes)
        .bind(epoch.get())
        .bind(subject.as_bytes().as_slice())
        .execute(&self.pool)
        .await
        .map_err(|error| self.database(error))?;
        self.attestation(epoch, subject)
            .await?
            .ok_or_else(|| self.damaged())
    }

    /// The attestation, once signed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attestation(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<Option<AttestationBytes>, StoreError> {
        let bytes: Option<Option<Vec<u8>>> =
            sqlx::query_scalar("SELECT attestation FROM listings WHERE epoch = ? AND subject = ?")
                .bind(epoch.get())
                .bind(subject.as_bytes().as_slice())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| self.database(error))?;
        bytes
            .flatten()
            .map(|bytes| AttestationBytes::try_from_slice(&bytes).map_err(|_| self.damaged()))
            .transpose()
    }
}
