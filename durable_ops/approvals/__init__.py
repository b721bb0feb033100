"""Approvals: who is asked, who may decide, what they saw, and the mails that ask them."""
