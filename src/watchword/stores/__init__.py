"""Stores: the engines that keep things, one file each."""
