#!/bin/bash
# healthy PORT PATH: succeeds when this container answers 200 there. A health check runs every few
# seconds on every node; starting Node for it takes 0.3 s of cpu and 80 MB, this takes neither.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
read -r _ status _ <&3
[ "$status" = 200 ]
