-- People, across all tenants. None of these tables belongs to a tenant, so only the system role reaches them.
create table users (
    id uuid primary key,
    email text not null constraint users_email_folded check (email = lower(email)),
    name text not null,
    -- argon2id, PHC string format
    password_hash text not null,
    password_changed_at timestamptz not null,
    must_change_password boolean not null,
    status text not null default 'active' constraint users_status check (status in ('active', 'disabled')),
    system_roles text[] not null default '{}' constraint users_system_roles
        check (system_roles <@ array['system_admin', 'security_admin', 'platform_operator', 'auditor']),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_login_at timestamptz
);
create unique index users_email on users (email);
grant select, insert, update on users to image_factory_system;

-- A login: one family of refresh tokens, of which only the newest is unspent.
create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    created_at timestamptz not null,
    refreshed_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text constraint sessions_revoked_reason
        check (revoked_reason in ('logout', 'signed_out', 'token_reuse', 'password_changed', 'user_disabled')),
    ip text,
    user_agent text,
    constraint sessions_revoked_with_reason check ((revoked_at is null) = (revoked_reason is null))
);
create index sessions_by_user on sessions (user_id, created_at);
create index sessions_by_end on sessions (expires_at);
grant select, insert, update, delete on sessions to image_factory_system;

create table refresh_tokens (
    -- SHA-256 of a random 256-bit token
    fingerprint bytea primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    issued_at timestamptz not null,
    spent_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create unique index refresh_tokens_one_unspent on refresh_tokens (session_id) where spent_at is null;
grant select, insert, update, delete on refresh_tokens to image_factory_system;

-- Failed sign-ins by what they have in common; shared by all processes, so the database's clock rules.
create table login_throttles (
    key text primary key,
    failures int not null,
    blocked_until timestamptz not null,
    updated_at timestamptz not null default now()
);
create index login_throttles_by_age on login_throttles (updated_at);
grant select, insert, update, delete on login_throttles to image_factory_system;
