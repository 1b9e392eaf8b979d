"""Jenga's stand-in: the part of Jenga this project uses, on loopback, where no money moves."""

from local.jenga.app import JengaStandIn

__all__ = ["JengaStandIn"]
