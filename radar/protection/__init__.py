"""Who may see what is protected: grants, vaults, marks and restrictions."""
