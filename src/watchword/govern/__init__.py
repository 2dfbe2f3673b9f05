"""The room where numbers become decisions: bodies, policies, risks, controls and budgets of both domains."""
