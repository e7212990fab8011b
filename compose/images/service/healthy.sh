#!/bin/bash
# Health check of a service: succeeds if it says within two seconds that it is ready. Starts no other program.
# usage: healthy <port>
exec 3<> "/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
