-- What a conversation is for, in its owner's words; chatrooms of the published Gemini Backend API have one.
alter table conversations add column description text;
