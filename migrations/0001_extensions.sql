-- Embeddings of the RAG slice are compared inside the database, so that any number of servers share one index and
-- none holds vectors in memory. The extension stands first and alone because pgvector is not a "trusted" extension:
-- creating it takes a superuser. Where the service's own role is not one, an administrator creates it beforehand,
-- and `if not exists` makes this step a no-op that needs no privilege.
create extension if not exists vector;
