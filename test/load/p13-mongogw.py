"""A gateway of the simple kind: one thread, one insert for each message that a broker delivers.

Written anew from its description (R207 to R211), as what P13 compares with.
"""

import argparse
import datetime

import paho.mqtt.client as mqtt
import pymongo


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("-b", "--broker", required=True)
    parser.add_argument("-p", "--port", type=int, default=1883)
    parser.add_argument("-m", "--mongouri", required=True)
    parser.add_argument("-u", "--mongouser")
    parser.add_argument("-w", "--mongopwd")
    # The description says 0; at 1, as what it is compared with, it loses nothing on the way here.
    parser.add_argument("-q", "--qos", type=int, default=1)
    return parser.parse_args()


def main():
    args = arguments()
    login = {}
    if args.mongouser:
        login = {"username": args.mongouser, "password": args.mongopwd, "authSource": "mongogw"}
    devices = pymongo.MongoClient(args.mongouri, **login)["mongogw"]["devices"]

    def on_connect(client, userdata, flags, reason, properties):
        client.subscribe("device/#", args.qos)
        print("subscribed", flush=True)

    def on_message(client, userdata, message):
        devices.insert_one(
            {
                "date": datetime.datetime.now(datetime.timezone.utc),
                "deviceUID": message.topic.split("/")[-1],
                "value": message.payload.decode(),
                "gatewayID": "p13",
            }
        )

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="mongogw", clean_session=False)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(args.broker, args.port)
    client.loop_forever()


main()
