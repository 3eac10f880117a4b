extension Schema {
    static let mail: [Setting] = [
        Setting(
            "mail_location", .template, "", [], only23: true,
            "Where mail lies, in one line: `maildir:~/Maildir:INDEX=/var/index/%u`. Becomes the `mail_*` and `mailbox_*` settings below."),
        Setting(
            "mail_driver", old: "", .enumeration(["", "auto", "maildir", "mbox", "sdbox", "dbox", "mdbox", "imapc", "pop3c"]), "",
            [.mail, .auth], "How mail is stored; empty: what is found. Only `maildir` is served."),
        Setting("mail_path", old: "", .template, "", [.mail, .auth], "Where mail lies; `~/` is the user's home."),
        Setting("mail_inbox_path", old: "", .template, "", [.mail, .auth], "INBOX, when it lies elsewhere."),
        Setting("mail_index_path", old: "", .template, "", [.mail, .auth], "Where the index lies."),
        Setting("mail_index_private_path", old: "", .template, "", [.mail], "Index of the own flags of shared mailboxes."),
        Setting("mail_cache_path", old: "", .template, "", [.mail], "Where the cache lies."),
        Setting("mail_control_path", old: "", .template, "", [.mail, .auth], "Where the UID lists and subscriptions lie."),
        Setting("mail_alt_path", old: "", .template, "", [.mail], ignored: Instead.mbox, "Second storage for old mail."),
        Setting("mail_volatile_path", old: "", .template, "", [.mail], "Directory for locks."),
        Setting(
            "mailbox_list_layout", old: "", .string, "", [.mail, .auth],
            "Layout of folders: `Maildir++`, `fs`, `index`; empty: the driver's."),
        Setting(
            "mailbox_list_index_prefix", old: "", .string, "", [.mail], ignored: "the list of mailboxes is in the user's index",
            "Name of the index of the list."),
        Setting("mailbox_subscriptions_filename", old: "", .string, "subscriptions", [.mail], "File of the subscriptions."),
        Setting("mailbox_directory_name", old: "", .string, "", [.mail], "Directory below each mailbox that holds its mail."),
        Setting("mailbox_directory_name_legacy", old: "", .bool, "no", [.mail], "That directory is not used for index and control files."),
        Setting("mailbox_root_directory_name", old: "", .string, "", [.mail], "Directory that holds all mailboxes."),
        Setting("mailbox_list_utf8", old: "", .bool, "no", [.mail], "Names of folders are UTF-8 on disk."),
        Setting("mailbox_list_visible_escape_char", old: "", .string, "", [.mail], "Character for names that cannot be shown."),
        Setting(
            "mailbox_list_storage_escape_char", old: "", .string, "", ignored: "names are kept as Dovecot keeps them without it",
            "Character for names that cannot be stored."),
        Setting("mailbox_list_drop_noselect", old: "", .bool, "no", new: "yes", [.mail], "Parents without mail go with their last child."),
        Setting("mailbox_list_iter_from_index_dir", old: "", .bool, "no", [.mail], "Folders are listed from the index directory."),
        Setting("mail_home", .template, "", [.mail, .auth], "Home of a user whose database gives none."),
        Setting("mail_uid", .string, "", [.mail, .auth], "User that owns all mail, when the database gives none."),
        Setting("mail_gid", .string, "", [.mail, .auth], "Group of all mail, when the database gives none."),
        Setting("mail_access_groups", .list, "", ignored: "a session has the group of its user alone", "Further groups of mail processes."),
        Setting(
            "mail_privileged_group", .string, "", [.mail], ignored: "INBOX needs no group of its own in a Maildir",
            "Group for locks in the mail spool."),
        Setting(
            "mail_chroot", .string, "", [.mail], ignored: "each mail process is confined to its user's files already",
            "Root directory of mail processes."),
        Setting(
            "valid_chroot_dirs", .string, "", [.mail], ignored: "each mail process is confined to its user's files already",
            "Directories in which a chroot may lie."),
        Setting(
            "mail_plugins", .list, "", [.mail],
            "Plugins of mail processes: `quota` is built in and has to be named to be in force; others are not loaded."),
        Setting("mail_plugin_dir", .string, "", ignored: Instead.plugins, "Directory of plugins."),
        Setting(
            "mail_full_filesystem_access", .bool, "no", [.mail], ignored: "a session never leaves the user's mail",
            "Names of mailboxes may be paths."),
        Setting("mail_max_keyword_length", .uint, "50", ignored: "keywords have up to 50 bytes", "Length of a keyword."),
        Setting("mail_max_lock_timeout", .time, "0", [.mail], "Longest wait for a lock; 0: the program's own."),
        Setting("mail_server_admin", .string, "", [.mail], "Address of the administrator, a URL: METADATA shows it as /shared/admin."),
        Setting("mail_server_comment", .string, "", [.mail], "Comment about the server: METADATA shows it as /shared/comment."),
        Setting("mail_shared_explicit_inbox", .bool, "no", ignored: Instead.acl, "Shared INBOXes are named INBOX."),
        Setting("mail_attribute_dict", .string, "", ignored: Instead.metadata, only23: true, "Dictionary for METADATA."),
        Setting("mail_cache_fields", .list, "flags", ignored: Instead.cache, "Fields that are cached at first."),
        Setting("mail_always_cache_fields", .list, "", ignored: Instead.cache, "Fields that are always cached."),
        Setting("mail_never_cache_fields", .list, "imap.envelope", ignored: Instead.cache, "Fields that are never cached."),
        Setting("mail_cache_min_mail_count", .uint, "0", ignored: Instead.cache, "Smaller mailboxes are not cached."),
        Setting("mail_prefetch_count", .uint, "0", ignored: Instead.removed, "Messages read ahead."),
        Setting("mail_sort_max_read_count", .uint, "0", ignored: Instead.cache, "Messages that SORT may open."),
        Setting("mail_vsize_bg_after_count", .uint, "0", ignored: Instead.cache, "Sizes are computed in the background above this."),
        Setting("mail_temp_dir", .string, "/tmp", ignored: "temporary files lie where the mail is", "Directory for temporary files."),
        Setting(
            "mail_temp_scan_interval", .time, "1 week", ignored: "`tmp/` is searched once a week",
            "How often `tmp/` is searched for old files."),
        Setting("mail_save_crlf", .bool, "no", [.mail], "Messages are saved with CRLF."),
        Setting("mail_fsync", .enumeration(["optimized", "always", "never"]), "optimized", [.mail], "When saved mail is forced to disk."),
        Setting(
            "mail_nfs_storage", .bool, "no", [.mail], ignored: "mail on NFS is not served specially in this version", "Mail lies on NFS."),
        Setting(
            "mail_nfs_index", .bool, "no", [.mail], ignored: "an index on NFS is not served specially in this version",
            "The index lies on NFS."),
        Setting("mailbox_idle_check_interval", .time, "30s", [.mail], "How often a mailbox is looked at without notice from the kernel."),
    ]

    static let storage: [Setting] = [
        Setting("mail_cache_max_size", .size, "1G", ignored: Instead.index, "Size of the cache."),
        Setting("mail_cache_record_max_size", .size, "64k", ignored: Instead.index, "Size of what is cached of one message."),
        Setting("mail_cache_unaccessed_field_drop", .time, "30 days", ignored: Instead.index, "Age of unused fields that are dropped."),
        Setting("mail_cache_purge_min_size", .size, "32k", ignored: Instead.index, "Smaller caches are not purged."),
        Setting(
            "mail_cache_purge_delete_percentage", .uint, "20", ignored: Instead.index,
            "Share of deleted records at which the cache is purged."),
        Setting(
            "mail_cache_purge_continued_percentage", .uint, "200", ignored: Instead.index,
            "Share of continued records at which the cache is purged."),
        Setting(
            "mail_cache_purge_header_continue_count", .uint, "4", ignored: Instead.index, "Continued headers at which the cache is purged."),
        Setting("mail_cache_max_headers_count", old: "", .uint, "100", ignored: Instead.index, "Headers in the cache."),
        Setting("mail_cache_max_header_name_length", old: "", .uint, "100", ignored: Instead.index, "Length of their names."),
        Setting("mail_index_log2_max_age", .time, "2 days", ignored: Instead.index, "How long the old log is kept."),
        Setting("mail_index_log_rotate_max_size", .size, "1M", ignored: Instead.index, "Size at which the log is always rotated."),
        Setting("mail_index_log_rotate_min_age", .time, "5 mins", ignored: Instead.index, "Age at which the log may be rotated."),
        Setting("mail_index_log_rotate_min_size", .size, "32k", ignored: Instead.index, "Size at which the log may be rotated."),
        Setting(
            "mail_index_rewrite_max_log_bytes", .size, "128k", ignored: Instead.index, "Bytes of log at which the index is written anew."),
        Setting("mail_index_rewrite_min_log_bytes", .size, "8k", ignored: Instead.index, "Fewer bytes of log never cause that."),
        Setting(
            "mailbox_list_normalize_names_to_nfc", old: "", .bool, "yes", ignored: "names of mailboxes are kept as clients write them",
            "New names are brought to NFC."),
        Setting(
            "mailbox_list_validate_fs_names", old: "", .bool, "yes", ignored: "names of mailboxes are kept as clients write them",
            "Names must fit the file system."),
        Setting(
            "mailbox_list_lost_mailbox_prefix", old: "", .string, "recovered-lost-folder-",
            ignored: "names of mailboxes are kept as clients write them", "Name of found mailboxes."),
        Setting(
            "mail_utf8_extensions", old: "", .bool, "no", ignored: "the extensions that are there are always offered",
            "Offer extensions for UTF-8."),
        Setting("dotlock_use_excl", .bool, "yes", ignored: "lock files are always made with O_EXCL", "Lock files are made with O_EXCL."),
        Setting(
            "lock_method", .enumeration(["fcntl", "flock", "dotlock"]), "fcntl", [.mail], ignored: "the index has its own locks",
            "How the index is locked."),
        Setting("mmap_disable", .bool, "no", [.mail], ignored: "the index is always mapped", "Do not map the index."),
        Setting("mailbox_list_index", .bool, "yes", ignored: "the list of mailboxes is in the user's index", "Keep an index of the list."),
        Setting(
            "mailbox_list_index_include_inbox", .bool, "no", ignored: "the list of mailboxes is in the user's index", "INBOX is in it."),
        Setting(
            "mailbox_list_index_very_dirty_syncs", .bool, "no", ignored: "the list of mailboxes is in the user's index",
            "Trust it without looking."),
        Setting(
            "maildir_stat_dirs", .bool, "no", ignored: "the directory itself tells what its entries are",
            "Look whether a folder is a directory before it is listed."),
        Setting("maildir_copy_with_hardlinks", .bool, "yes", [.mail], "COPY makes links."),
        Setting(
            "maildir_very_dirty_syncs", .bool, "no", ignored: "what other programs change is always seen",
            "Trust the index unless the directory's time changed."),
        Setting("maildir_broken_filename_sizes", .bool, "no", [.mail], "Do not believe the sizes in file names."),
        Setting("maildir_empty_new", .bool, "no", [.mail], "Move everything out of `new/`."),
        Setting("mbox_read_locks", .list, "fcntl", ignored: Instead.mbox, "Locks for reading."),
        Setting("mbox_write_locks", .list, "dotlock fcntl", ignored: Instead.mbox, "Locks for writing."),
        Setting("mbox_lock_timeout", .time, "5m", ignored: Instead.mbox, "Longest wait for a lock."),
        Setting("mbox_dotlock_change_timeout", .time, "2m", ignored: Instead.mbox, "Age of a lock that is broken."),
        Setting("mbox_dirty_syncs", .bool, "yes", ignored: Instead.mbox, "Read only what is new."),
        Setting("mbox_very_dirty_syncs", .bool, "no", ignored: Instead.mbox, "Read only what is new, always."),
        Setting("mbox_lazy_writes", .bool, "yes", ignored: Instead.mbox, "Write headers late."),
        Setting("mbox_min_index_size", .size, "0", ignored: Instead.mbox, "Smaller files get no index."),
        Setting("mbox_md5", .string, "apop3d", ignored: Instead.mbox, "Headers of the checksum."),
        Setting("mdbox_rotate_size", .size, "10M", ignored: Instead.mbox, "Size of a file."),
        Setting("mdbox_rotate_interval", .time, "0", ignored: Instead.mbox, "Age of a file."),
        Setting("mdbox_preallocate_space", .bool, "no", ignored: Instead.mbox, "Reserve space."),
        Setting("mail_attachment_dir", .string, "", ignored: Instead.attachment, only23: true, "Directory of attachments."),
        Setting("mail_attachment_fs", .string, "sis posix", ignored: Instead.attachment, only23: true, "Storage of attachments."),
        Setting("mail_attachment_hash", .string, "%{sha1}", ignored: Instead.attachment, only23: true, "Names of attachments."),
        Setting("mail_attachment_min_size", .size, "128k", ignored: Instead.attachment, only23: true, "Smaller ones stay in the message."),
        Setting("mail_attachment_detection_options", .list, "", ignored: Instead.attachment, "How attachments are found."),
    ]

    static let imap: [Setting] = [
        Setting("imap_max_line_length", .size, "64k", [.mail, .login], "Longest command line."),
        Setting(
            "imap_logout_format", .template,
            "in=%i out=%o deleted=%{deleted} expunged=%{expunged} trashed=%{trashed} hdr_count=%{fetch_hdr_count} hdr_bytes=%{fetch_hdr_bytes} body_count=%{fetch_body_count} body_bytes=%{fetch_body_bytes}",
            new:
                "in=%{input} out=%{output} deleted=%{deleted} expunged=%{expunged} trashed=%{trashed} hdr_count=%{fetch_hdr_count} hdr_bytes=%{fetch_hdr_bytes} body_count=%{fetch_body_count} body_bytes=%{fetch_body_bytes}",
            [.mail], "Log line at the end of a session."),
        Setting("imap_capability", .string, "", [.mail, .login], "Capabilities: `+X` adds, other text replaces."),
        Setting("imap_idle_notify_interval", .time, "2m", [.mail], "How often IDLE says that it still lives."),
        Setting("imap_id_send", .string, "name *", [.mail, .login], "What ID answers."),
        Setting(
            "imap_id_log", .string, "", ignored: "what a client says of itself after login stands in the line at the end of its session",
            only23: true,
            "Which fields of the client's ID are logged."),
        Setting(
            "imap_id_retain", .bool, "no", ignored: "databases are not told what a client says of itself", "Tell databases the client's ID."
        ),
        Setting(
            "imap_client_workarounds", .list, "", ignored: "no workaround is available in this version",
            "`delay-newmail`, `tb-extra-mailbox-sep`, `tb-lsub-flags`."),
        Setting(
            "imap_fetch_failure", .enumeration(["disconnect-immediately", "disconnect-after", "no-after"]), "disconnect-immediately",
            ignored: "not available in this version", "When a message cannot be read."),
        Setting("imap_hibernate_timeout", .time, "0", ignored: Instead.hibernate, "After this time an idle session is put to sleep."),
        Setting("imap_metadata", .bool, "no", [.mail], "Offer METADATA, LIST-METADATA and FILTERS."),
        Setting("imap_literal_minus", .bool, "no", [.mail, .login], "Offer LITERAL- in place of LITERAL+."),
        Setting(
            "imap_message_limit", .uint, "0", [.mail],
            "Messages that one command may work on (MESSAGELIMIT, RFC 9738, which wants at least 1,000); 0: any number."),
        Setting("imap_urlauth_host", .string, "", ignored: Instead.urlauth, "Host in URLs."),
        Setting("imap_urlauth_port", .port, "143", ignored: Instead.urlauth, "Port in URLs."),
        Setting("imap_urlauth_logout_format", .string, "in=%i out=%o", ignored: Instead.urlauth, "Log line of URLAUTH."),
        Setting("rawlog_dir", .string, "", ignored: "traffic is not copied in this version", "Directory for copies of the traffic."),
    ]

    static let delivery: [Setting] = [
        Setting("hostname", .string, "", [.mail, .login], "Name of this host in messages; empty: the system's."),
        Setting(
            "postmaster_address", .template, "postmaster@%{if;%d;ne;;%d;%{hostname}}",
            new: "postmaster@%{user | domain | default(hostname)}", ignored: "this version sends no rejections", "Sender of rejections."),
        Setting(
            "recipient_delimiter", .string, "+", ignored: "addresses of deliveries are not taken apart in this version",
            "Characters between user and detail in an address."),
        Setting("deliver_log_format", .template, "msgid=%m: %$", new: "msgid=%{msgid}: %{message}", [.mail], "Log line of a delivery."),
        Setting("quota_full_tempfail", .bool, "no", [.mail], "A full mailbox is a temporary failure."),
        Setting("lda_mailbox_autocreate", .bool, "no", [.mail], "Delivery makes a missing mailbox."),
        Setting("lda_mailbox_autosubscribe", .bool, "no", [.mail], "Delivery subscribes a mailbox that it made."),
        Setting(
            "lda_original_recipient_header", .string, "", ignored: "a delivery takes no recipient from the message in this version",
            "Header that names the original recipient."),
        Setting("sendmail_path", .string, "/usr/sbin/sendmail", ignored: Instead.sieve, "Program for outgoing mail."),
        Setting("submission_host", .string, "", ignored: Instead.sieve, "Server for outgoing mail."),
        Setting("submission_ssl", .enumeration(["no", "smtps", "starttls"]), "no", ignored: Instead.sieve, "TLS to that server."),
        Setting("submission_timeout", .time, "30s", ignored: Instead.sieve, "How long that server may take."),
        Setting("rejection_subject", .string, "Rejected: %s", ignored: Instead.sieve, "Subject of a rejection."),
        Setting(
            "rejection_reason", .string, "Your message to <%t> was automatically rejected:%n%r", ignored: Instead.sieve,
            "Text of a rejection."),
        Setting("lmtp_proxy", .bool, "no", ignored: Instead.lmtp, "Pass mail on to other servers."),
        Setting("lmtp_save_to_detail_mailbox", .bool, "no", ignored: Instead.lmtp, "user+detail is delivered to the mailbox detail."),
        Setting("lmtp_rcpt_check_quota", .bool, "no", ignored: Instead.lmtp, "Look at the quota at RCPT."),
        Setting(
            "lmtp_hdr_delivery_address", .enumeration(["final", "original", "none"]), "final", ignored: Instead.lmtp,
            "Address in Delivered-To."),
        Setting("lmtp_user_concurrency_limit", .uint, "unlimited", new: "10", ignored: Instead.lmtp, "Deliveries to one user at a time."),
        Setting("lmtp_add_received_header", .bool, "yes", ignored: Instead.lmtp, "Add Received and Delivered-To."),
        Setting("lmtp_verbose_replies", .bool, "no", ignored: Instead.lmtp, "Tell the client why."),
        Setting("lmtp_client_workarounds", .list, "", ignored: Instead.lmtp, "Workarounds for clients."),
        Setting("lmtp_rawlog_dir", .string, "", ignored: Instead.lmtp, "Directory for copies of the traffic."),
        Setting("lmtp_proxy_rawlog_dir", .string, "", ignored: Instead.lmtp, "Directory for copies of the proxied traffic."),
        Setting("pop3_no_flag_updates", .bool, "no", ignored: Instead.pop3, "Do not set \\Seen."),
        Setting("pop3_enable_last", .bool, "no", ignored: Instead.pop3, "Offer LAST."),
        Setting("pop3_reuse_xuidl", .bool, "no", ignored: Instead.pop3, "Use X-UIDL headers."),
        Setting("pop3_save_uidl", .bool, "no", ignored: Instead.pop3, "Keep UIDLs."),
        Setting("pop3_lock_session", .bool, "no", ignored: Instead.pop3, "One session at a time."),
        Setting("pop3_fast_size_lookups", .bool, "no", ignored: Instead.pop3, "Sizes without counting CRs."),
        Setting(
            "pop3_uidl_format", .template, "%08Xu%08Xv", new: "%{uid | hex(8)}%{uidvalidity | hex(8)}", ignored: Instead.pop3,
            "Form of UIDLs."),
        Setting(
            "pop3_uidl_duplicates", .enumeration(["allow", "rename"]), "allow", ignored: Instead.pop3,
            "What to do with the same UIDL twice."),
        Setting(
            "pop3_logout_format", .string, "top=%t/%p, retr=%r/%b, del=%d/%m, size=%s", ignored: Instead.pop3,
            "Log line at the end of a session."),
        Setting("pop3_client_workarounds", .list, "", ignored: Instead.pop3, "Workarounds for clients."),
        Setting("pop3_deleted_flag", .string, "", ignored: Instead.pop3, "Flag that hides a message."),
        Setting("pop3_delete_type", .enumeration(["default", "flag", "expunge"]), "default", ignored: Instead.pop3, "What DELE does."),
    ]
}
