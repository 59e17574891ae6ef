package enum ServerModule {}
