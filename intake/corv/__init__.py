"""The StUF edge (CORV, now JUBES): XML in, the internal message out. Nothing past this folder knows XML."""
